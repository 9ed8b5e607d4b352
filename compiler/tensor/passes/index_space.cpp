#include "compiler/tensor/passes/index_space.h"

#include <algorithm>
#include <stdexcept>

namespace tensor {
namespace {
void split_form(Form& form, size_t axis, int64_t inner) {
  form.coefficients.push_back(form.coefficients[axis]);
  form.coefficients[axis] *= inner;
}
void split_index(Index& index, size_t axis, int64_t inner) {
  for (Form& form : index) split_form(form, axis, inner);
}
}  // namespace

IndexSpace::IndexSpace(const Shape& shape) : made_from_(shape) {
  for (const Extent& extent : shape) {
    if (extent != Extent{1, -1}) axes_.push_back(extent);
  }
  size_t next = 0;
  for (const Extent& extent : shape) {
    Form form{0, std::vector<int64_t>(axes_.size(), 0)};
    if (extent != Extent{1, -1}) form.coefficients[next++] = 1;
    made_index_.push_back(std::move(form));
  }
}

Index IndexSpace::identity() const { return made_index_; }

void IndexSpace::split(size_t axis, int64_t inner, Form& current) {
  for (auto& [key, index] : held_) split_index(index, axis, inner);
  for (Index& index : moving_) split_index(index, axis, inner);
  split_index(made_index_, axis, inner);
  split_form(current, axis, inner);
  axes_[axis].size /= inner;
  axes_.push_back({inner, -1});
}

void IndexSpace::expect_current(const Index& index) const {
  for (const Form& form : index) {
    if (form.coefficients.size() != axes_.size()) throw std::logic_error("an index from before a split");
  }
}

std::optional<Index> IndexSpace::pull(const Program& program, const Value& view, const Index& index) {
  expect_current(index);
  const Shape& input = program[view.inputs[0]].shape;
  Index result(input.size());
  switch (view.op) {
    case Op::reshape:
      return reshape(index, view.shape, input);
    case Op::transpose:
      for (size_t i = 0; i < index.size(); ++i) result[static_cast<size_t>(view.ints[i])] = index[i];
      return result;
    case Op::broadcast:
      for (size_t i = 0; i < input.size(); ++i) {
        result[i] = input[i] == Extent{1, -1} ? Form{0, std::vector<int64_t>(axes_.size(), 0)}
                                              : index[static_cast<size_t>(view.ints[i])];
      }
      return result;
    case Op::slice:
      result = index;
      for (size_t i = 0; i < input.size(); ++i) {
        if (input[i].batch < 0) result[i].offset += view.ints[2 * i];
      }
      return result;
    default:
      return {};
  }
}

std::optional<Index> IndexSpace::push(const Program& program, const Value& view, const Index& index) {
  expect_current(index);
  if (view.op == Op::reshape) return reshape(index, program[view.inputs[0]].shape, view.shape);
  if (view.op != Op::transpose) return {};
  Index result;
  for (int64_t axis : view.ints) result.push_back(index[static_cast<size_t>(axis)]);
  return result;
}

bool IndexSpace::covers(const Shape& shape, const Index& index) const {
  expect_current(index);
  const bool rows = std::ranges::any_of(axes_, [](const Extent& extent) { return extent.batch >= 0; });
  if (rows != has_rows(shape) || row_elements(shape) != row_elements(axes_)) return false;
  for (size_t axis = 0; axis < axes_.size(); ++axis) {
    if (std::ranges::none_of(index, [&](const Form& form) { return form.coefficients[axis] != 0; }))
      return false;
  }
  return true;
}

// The axes of `from` and `to` fall into blocks with equal numbers of elements. Within a block, the linear
// index is one affine form. Its terms are distributed over the axes of `to`; a term that spans two of them
// splits its axis of the space.
std::optional<Index> IndexSpace::reshape(Index index, const Shape& from, const Shape& to) {
  moving_.push_back(std::move(index));
  moving_.emplace_back();
  Index &source = *std::prev(moving_.end(), 2), &result = moving_.back();
  auto finish = [&](bool good) {
    std::optional<Index> answer;
    if (good) answer = result;
    moving_.pop_back();
    moving_.pop_back();
    return answer;
  };
  size_t i = 0, j = 0;
  if (has_rows(from) != has_rows(to) || (has_rows(from) && from[0] != to[0])) return finish(false);
  if (has_rows(from)) {
    result.push_back(source[0]);
    i = j = 1;
  }
  while (i < from.size() || j < to.size()) {
    int64_t a = 1, b = 1;
    size_t i_end = i, j_end = j;
    if (i_end < from.size()) a *= from[i_end++].size;
    if (j_end < to.size()) b *= to[j_end++].size;
    while (a != b) {
      if (a < b) {
        if (i_end >= from.size()) return finish(false);
        a *= from[i_end++].size;
      } else {
        if (j_end >= to.size()) return finish(false);
        b *= to[j_end++].size;
      }
    }
    Form linear{0, std::vector<int64_t>(axes_.size(), 0)};
    int64_t stride = 1;
    for (size_t axis = i_end; axis-- > i;) {
      linear.offset += source[axis].offset * stride;
      for (size_t s = 0; s < axes_.size(); ++s)
        linear.coefficients[s] += source[axis].coefficients[s] * stride;
      stride *= from[axis].size;
    }
    // From the outermost axis of the block to the innermost: one step along the axis skips `inside` elements.
    int64_t inside = b;
    for (size_t axis = j; axis < j_end; ++axis) {
      inside /= std::max<int64_t>(to[axis].size, 1);
      for (size_t s = 0; s < axes_.size(); ++s) {
        const int64_t step = linear.coefficients[s];
        if (step <= 0 || step >= inside || axes_[s].batch >= 0 || step * axes_[s].size <= inside) continue;
        const int64_t inner = inside / step;
        if (inside % step != 0 || axes_[s].size % inner != 0) return finish(false);
        split(s, inner, linear);
      }
      Form form{linear.offset / inside, std::vector<int64_t>(axes_.size(), 0)};
      linear.offset %= inside;
      int64_t reach = form.offset;
      int64_t rest = linear.offset;
      for (size_t s = 0; s < axes_.size(); ++s) {
        int64_t& step = linear.coefficients[s];
        if (step < 0) return finish(false);
        if (step == 0) continue;
        if (step >= inside) {
          if (step % inside != 0 || axes_[s].batch >= 0) return finish(false);
          form.coefficients[s] = step / inside;
          reach += form.coefficients[s] * (axes_[s].size - 1);
          step = 0;
        } else {
          rest += step * (axes_[s].size - 1);
        }
      }
      if (reach >= to[axis].size || rest >= inside) return finish(false);  // the digits would carry
      result.push_back(std::move(form));
    }
    i = i_end;
    j = j_end;
  }
  return finish(true);
}

Access IndexSpace::access(int buffer, const Shape& shape, const Index& index) const {
  expect_current(index);
  Access access{buffer, 0, std::vector<int64_t>(axes_.size(), 0)};
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    access.offset += index[axis].offset * stride;
    for (size_t s = 0; s < axes_.size(); ++s) access.strides[s] += index[axis].coefficients[s] * stride;
    stride *= shape[axis].size;  // rows are the first axis: their number never enters a stride
  }
  return access;
}

}  // namespace tensor
