#include "compiler/lower/loops/arrange.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/semantics/graph/elementwise.h"
#include "compiler/tensor/launches/calls_per_element.h"
#include "compiler/tensor/passes/canonicalise_loops.h"
#include "runtime/shared/nearest_float.h"

namespace lower {
namespace {

using semantics::Op;
using tensor::Access;
using tensor::Extent;
using tensor::for_each_access;
using tensor::joins;
using tensor::Loop;
using tensor::Scalar;

constexpr int64_t usual_batch = 128;  // assumed for an unknown extent when costs are compared
constexpr int64_t unit_work = 4096;   // elements that are worth the overhead of a parallel region
// Limits for keeping the sums of columns in registers. Either at most `window` elements are reduced: a
// pooling window stays in the first-level cache. Or a row has at most `most_columns` columns: so few channels
// are read in one go.
constexpr int64_t window = 16, most_columns = 64;
constexpr int64_t least_unit = 64;  // columns
static_assert(most_columns <= least_unit, "a kernel of a short row writes all of it in one unit");
constexpr int64_t most_repeats = 4;

int64_t guess(const Extent& extent) { return extent.batch >= 0 ? usual_batch : extent.size; }

bool draws(const Loop& loop) {
  return std::ranges::any_of(loop.body, [](const Scalar& s) {
    return s.kind == Scalar::Kind::operation && semantics::info(s.op).group == semantics::OpGroup::random;
  });
}

std::vector<AxisGroup> group(const Loop& loop, int begin, int end) {
  std::vector<AxisGroup> groups;
  for (int axis = begin; axis < end; ++axis) {
    if (!groups.empty() && joins(loop, axis - 1)) {
      groups.back().end = axis + 1;
    } else {
      groups.push_back({axis, axis + 1});
    }
  }
  return groups;
}

int64_t elements_of(const Loop& loop, const AxisGroup& axes) {
  int64_t product = 1;
  for (int axis = axes.begin; axis < axes.end; ++axis)
    product *= guess(loop.space[static_cast<size_t>(axis)]);
  return product;
}

Motion motion_along(const Access& access, const AxisGroup& axes) {
  if (axes.begin == axes.end) return Motion::still;
  const int64_t stride = access.strides[static_cast<size_t>(axes.end) - 1];
  return stride == 0 ? Motion::still : stride == 1 ? Motion::contiguous : Motion::strided;
}

/// Estimates the instructions per element if `axes` are walked in vectors of 16 lanes.
double cost_along(const Loop& loop, const AxisGroup& axes, bool reduced) {
  double cost = 1 + 0.5 * static_cast<double>(loop.body.size());
  const auto add = [&](const Access& access, double strided) {
    const Motion motion = motion_along(access, axes);
    cost += motion == Motion::still ? 0.1 : motion == Motion::contiguous ? 1 : strided;
  };
  for (const Access& access : loop.loads) add(access, 14);
  for (const tensor::Store& store : loop.stores) {
    if (store.combine == tensor::Combine::none) {
      add(store.access, 20);
    } else {
      cost += reduced ? 1 : 2;
    }
  }
  const auto elements = static_cast<double>(elements_of(loop, axes));
  const int64_t vectors = (elements_of(loop, axes) + 15) / 16;
  const double per_run = reduced ? 15 : 4;
  return (cost * static_cast<double>(vectors) + per_run) / elements;
}

/// Moves the axes of a group behind the other axes of its section (kept or reduced).
void move_last(Loop& loop, const AxisGroup& axes, int section_end) {
  std::vector<int> order;
  for (int axis = 0; axis < static_cast<int>(loop.space.size()); ++axis) {
    if (axis == section_end) {
      for (int moved = axes.begin; moved < axes.end; ++moved) order.push_back(moved);
    }
    if (axis < axes.begin || axis >= axes.end) order.push_back(axis);
  }
  if (section_end == static_cast<int>(loop.space.size())) {
    for (int moved = axes.begin; moved < axes.end; ++moved) order.push_back(moved);
  }
  const auto permute = [&](auto& list) {
    auto old = list;
    for (size_t i = 0; i < order.size(); ++i) list[i] = old[static_cast<size_t>(order[i])];
  };
  permute(loop.space);
  for_each_access(loop, [&](Access& access) { permute(access.strides); });
  for (Scalar& scalar : loop.body) {
    if (scalar.kind != Scalar::Kind::iota) continue;
    scalar.index = static_cast<int>(std::ranges::find(order, scalar.index) - order.begin());
  }
}

void insert_axis(Loop& loop, int at) {
  loop.space.insert(loop.space.begin() + at, Extent{});
  if (at <= loop.kept) ++loop.kept;
  for_each_access(loop, [&](Access& access) { access.strides.insert(access.strides.begin() + at, 0); });
  for (Scalar& scalar : loop.body) {
    if (scalar.kind == Scalar::Kind::iota && scalar.index >= at) ++scalar.index;
  }
}

void choose_vector_axis(Arrangement& arranged) {
  Loop& loop = arranged.loop;
  const int rank = static_cast<int>(loop.space.size());
  const auto kept = group(loop, 0, loop.kept);
  const auto reduced = group(loop, loop.kept, rank);
  arranged.form = reduced.empty() ? Form::map : Form::row_reduction;
  // The number of a drawn element is its place in the space, so the order of the axes must stay.
  if (draws(loop)) return;
  double best = 1e300;
  AxisGroup chosen;
  bool chosen_reduced = false;
  for (const bool reducing : {true, false}) {
    const auto& candidates = reducing ? reduced : kept;
    for (auto axes = candidates.rbegin(); axes != candidates.rend(); ++axes) {
      const double cost = cost_along(loop, *axes, reducing);
      if (cost >= best * 0.999) continue;
      best = cost;
      chosen = *axes;
      chosen_reduced = reducing;
    }
  }
  if (chosen.begin == chosen.end) return;
  move_last(loop, chosen, chosen_reduced ? rank : loop.kept);
  if (!chosen_reduced && !reduced.empty()) arranged.form = Form::column_reduction;
}

/// The kernel reads its immediates from the loop. Exceptions are constants that shape its code: 0, 1, -1, 2,
/// 0.5 and exponents of powers.
void place_immediates(Arrangement& arranged) {
  const auto& body = arranged.loop.body;
  arranged.immediate.assign(body.size(), -1);
  for (size_t i = 0; i < body.size(); ++i) {
    if (body[i].kind != Scalar::Kind::constant) continue;
    const double number = body[i].number;
    const bool plain = number == 0 || number == 1 || number == -1 || number == 2 || number == 0.5;
    const bool exponent = std::ranges::any_of(body, [&](const Scalar& s) {
      return s.kind == Scalar::Kind::operation && s.op == Op::power && s.inputs[1] == static_cast<int>(i);
    });
    if (plain || exponent) continue;
    arranged.immediate[i] = static_cast<int>(arranged.scalars.size());
    arranged.scalars.push_back(nearest_float(number));
  }
}

int64_t power_of_two_above(int64_t number) {
  int64_t power = 1;
  while (power < number) power *= 2;
  return power;
}

void choose_registers(Arrangement& arranged, int64_t reduced) {
  if (arranged.form != Form::column_reduction || !arranged.short_sums) return;
  const AxisGroup& columns = arranged.kept.back();
  const bool known =
      std::all_of(arranged.loop.space.begin() + columns.begin, arranged.loop.space.begin() + columns.end,
                  [](const Extent& extent) { return extent.batch < 0; });
  const int64_t width = elements_of(arranged.loop, columns);
  if (reduced > window && known && width <= most_columns) arranged.short_row = width;
  arranged.register_sums = reduced <= window || arranged.short_row > 0;
}

void cut_into_units(Arrangement& arranged) {
  const Loop& loop = arranged.loop;
  int64_t row = 1;
  if (arranged.form != Form::row_reduction) row = elements_of(loop, arranged.kept.back());
  int64_t reduced = 1;
  for (const AxisGroup& axes : arranged.reduced) reduced *= elements_of(loop, axes);
  if (arranged.form == Form::map && arranged.is_flat()) {
    arranged.unit_elements = unit_work;
  } else if (arranged.is_flat()) {
    arranged.unit_elements = std::clamp<int64_t>(power_of_two_above(unit_work / reduced), least_unit, 256);
  } else {
    arranged.unit_rows = power_of_two_above(std::max<int64_t>(1, unit_work / (row * reduced)));
  }
}

/// Whether the loop can be computed in groups of four elements along the vector axis.
bool has_quads(const Arrangement& arranged) {
  if (arranged.form != Form::map || arranged.per_element_calls || draws(arranged.loop)) return false;
  const AxisGroup& vector = arranged.kept.back();
  bool whole = false;
  for (int axis = vector.begin; axis < vector.end; ++axis) {
    const Extent& extent = arranged.loop.space[static_cast<size_t>(axis)];
    whole = whole || (extent.batch < 0 && extent.size % 4 == 0);
  }
  if (!whole) return false;
  bool fits = true;
  for_each_access(arranged.loop, [&](const Access& access) {
    const Motion motion = motion_along(access, vector);
    fits = fits && motion != Motion::strided;
    if (motion == Motion::still) return;
    fits = fits && access.offset % 4 == 0;
    for (int axis = 0; axis < vector.begin; ++axis)
      fits = fits && access.strides[static_cast<size_t>(axis)] % 4 == 0;
  });
  return fits;
}

}  // namespace

Arrangement arrange(const Loop& loop) {
  Arrangement arranged;
  arranged.loop = loop;
  Loop& result = arranged.loop;
  choose_vector_axis(arranged);
  if (arranged.form != Form::row_reduction && result.kept == 0) insert_axis(result, 0);
  arranged.kept = group(result, 0, result.kept);
  arranged.reduced = group(result, result.kept, static_cast<int>(result.space.size()));
  if (arranged.form == Form::map && arranged.is_flat() && result.kept == 1) {
    // A single axis gets an outer axis of length 1, so that it shares a kernel with batches of such axes. The
    // kernel multiplies the two extents.
    insert_axis(result, 0);
    arranged.kept = {{0, 2}};
  }

  const AxisGroup vector =
      arranged.form == Form::row_reduction ? arranged.reduced.back() : arranged.kept.back();
  for (const Access& access : result.loads) arranged.load_motions.push_back(motion_along(access, vector));
  for (const tensor::Store& store : result.stores) {
    arranged.store_motions.push_back(motion_along(store.access, vector));
  }
  for (int axis = vector.begin; axis < vector.end; ++axis) {
    const Extent& extent = result.space[static_cast<size_t>(axis)];
    if (extent.batch < 0 && extent.size % 16 == 0) arranged.whole_vectors = true;
  }
  int64_t reduced = 1;
  bool reduced_known = true;
  for (size_t axis = static_cast<size_t>(result.kept); axis < result.space.size(); ++axis) {
    reduced *= result.space[axis].size;
    reduced_known = reduced_known && result.space[axis].batch < 0;
  }
  arranged.per_element_calls = tensor::calls_per_element(result);
  arranged.short_sums = reduced_known && reduced <= (arranged.per_element_calls ? 256 : 4096);
  arranged.quads = has_quads(arranged);
  choose_registers(arranged, reduced);
  place_immediates(arranged);
  for (const Scalar& scalar : result.body) {
    if (scalar.kind == Scalar::Kind::operation &&
        semantics::info(scalar.op).group == semantics::OpGroup::random) {
      arranged.sites.push_back(scalar.site);
    }
  }
  cut_into_units(arranged);
  return arranged;
}

std::vector<Extent> Arrangement::unit() const {
  if (is_flat()) return {Extent{unit_elements}};
  std::vector<Extent> extents;
  if (form != Form::row_reduction) {
    for (int axis = kept.back().begin; axis < kept.back().end; ++axis) {
      extents.push_back(loop.space[static_cast<size_t>(axis)]);
    }
  }
  extents.push_back(Extent{unit_rows});
  return extents;
}

int64_t Arrangement::repeats(const AxisGroup& axes) const {
  const Extent& extent = loop.space[static_cast<size_t>(axes.begin)];
  const bool few = axes.end - axes.begin == 1 && extent.batch < 0 && extent.size <= most_repeats;
  return few ? extent.size : 0;
}

std::string Arrangement::key() const {
  std::string key =
      fmt::format("{}{}{} {} {};", whole_vectors, per_element_calls, register_sums, unit_rows, unit_elements);
  if (register_sums) {
    // The number of vectors of 8, which the emitter also counts.
    key += fmt::format("{} ", (short_row + 7) / 8);
    for (const AxisGroup& axes : reduced) key += fmt::format("{} ", repeats(axes));
  }
  return key + code_key();
}

std::string Arrangement::device_key() const {
  std::string key = fmt::format("{};", quads);
  for (const bool alone : only_read) key += alone ? 'r' : 'w';
  key += ';';
  for (const Extent& extent : loop.space)
    key += extent.batch >= 0 ? std::string("b,") : fmt::format("{},", extent.size);
  for_each_access(loop, [&](const Access& access) {
    for (const int64_t stride : access.strides) key += fmt::format(" {}", stride);
    key += ';';
  });
  return key + code_key();
}

std::string Arrangement::code_key() const {
  std::string key = fmt::format("{} {};", static_cast<int>(form), short_sums);
  for (const auto* groups : {&kept, &reduced}) {
    for (const AxisGroup& axes : *groups) key += fmt::format("{}-{} ", axes.begin, axes.end);
    key += ';';
  }
  for (const auto* motions : {&load_motions, &store_motions}) {
    for (const Motion motion : *motions) key += static_cast<char>('0' + static_cast<int>(motion));
    key += ';';
  }
  for (size_t i = 0; i < loop.body.size(); ++i) {
    const Scalar& scalar = loop.body[i];
    key += fmt::format("{}", static_cast<int>(scalar.kind));
    switch (scalar.kind) {
      case Scalar::Kind::load:
      case Scalar::Kind::iota:
        key += fmt::format(" {},", scalar.index);
        break;
      case Scalar::Kind::constant:
        key += immediate[i] >= 0 ? std::string("s,") : fmt::format(" {},", scalar.number);
        break;
      case Scalar::Kind::operation:
        key += fmt::format(" {} {} {} {},", static_cast<int>(scalar.op), scalar.inputs[0], scalar.inputs[1],
                           scalar.inputs[2]);
        break;
    }
  }
  for (const tensor::Store& store : loop.stores) {
    key += fmt::format(";{} {}", store.scalar, static_cast<int>(store.combine));
  }
  return key;
}

}  // namespace lower
