#include "compiler/tensor/passes/loop_writer.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <stdexcept>

#include "compiler/semantics/graph/elementwise.h"

namespace tensor {
namespace {
using semantics::OpGroup;
// Recomputing up to two operations costs less than a load and a store, unless one of them is transcendental.
constexpr int most_recomputed = 2;

bool one_instruction(Op op) {
  if (info(op).group != OpGroup::pointwise) return false;
  return semantics::elementwise_operation(static_cast<semantics::Op>(op)).cost == semantics::Cost::cheap;
}
}  // namespace

std::optional<Loop> LoopWriter::write(const std::vector<int>& atoms) {
  space_ = clusters_.common_space(atoms);
  if (!space_) throw std::logic_error("a cluster without a common index space");
  inside_ = atoms;
  settle_axes(atoms);
  const size_t axes = space_->axes().size();
  for (int atom : atoms) {
    if (memory_.stored(clusters_.atoms()[static_cast<size_t>(atom)].value)) store(atom);
  }
  if (loop_.stores.empty()) return {};
  if (axes != space_->axes().size()) throw std::logic_error("an axis was split after accesses along it");
  order_axes(atoms);
  merge_axes();
  return std::move(loop_);
}

/// Resolves all operands until no view splits an axis any more, because accesses need the final axes. A split
/// leaves the operands of the current walk out of date, so the walk begins again.
void LoopWriter::settle_axes(const std::vector<int>& atoms) {
  size_t axes = 0;
  const auto split = [&] { return axes != space_->axes().size(); };
  std::function<void(const Operand&, int)> walk = [&](const Operand& operand, int depth) {
    const Value& value = program_[operand.base];
    if (depth == 0 || info(value.op).group != OpGroup::pointwise) return;
    for (ValueId input : value.inputs) {
      const auto below = clusters_.resolve(*space_, input, operand.index);
      if (split()) return;
      if (below) walk(*below, depth - 1);
      if (split()) return;
    }
  };
  const auto walk_all = [&] {
    for (int atom : atoms) {
      const auto read = clusters_.operands(*space_, atom);
      if (split()) return;
      for (const Operand& operand : *read) {
        walk(operand, most_recomputed);
        if (split()) return;
      }
    }
  };
  while (split()) {
    axes = space_->axes().size();
    walk_all();
  }
}

int LoopWriter::append(Scalar scalar) {
  loop_.body.push_back(scalar);
  return static_cast<int>(loop_.body.size()) - 1;
}

int LoopWriter::apply(Op op, std::vector<int> inputs) {
  Scalar scalar;
  scalar.op = static_cast<semantics::Op>(op);
  std::ranges::copy(inputs, scalar.inputs.begin());
  return append(scalar);
}

int LoopWriter::scalar_of(ValueId value, const Index& index) {
  const auto operand = clusters_.resolve(*space_, value, index);
  if (!operand) throw std::logic_error("a view without an affine index");
  return base_scalar(*operand);
}

int LoopWriter::base_scalar(const Operand& operand) {
  const Value& value = program_[operand.base];
  const auto& producers = clusters_.atoms_of(operand.base);
  if (producers.size() == 1 && std::ranges::binary_search(inside_, producers[0]))
    return atom_scalar(producers[0]);
  if (value.op == Op::constant && producers.empty()) {
    const auto [known, fresh] = constant_scalars_.try_emplace(std::bit_cast<uint64_t>(value.number));
    if (fresh) {
      Scalar scalar;
      scalar.kind = Scalar::Kind::constant;
      scalar.number = value.number;
      known->second = append(scalar);
    }
    return known->second;
  }
  if (value.op == Op::iota && producers.empty()) return iota(value, operand.index);
  if (!memory_.stored(operand.base) && cheap(operand, most_recomputed)) {
    std::vector<std::pair<int64_t, std::vector<int64_t>>> key;
    for (const Form& form : operand.index) key.emplace_back(form.offset, form.coefficients);
    const auto known = inlined_.find({operand.base, key});
    if (known != inlined_.end()) return known->second;
    std::vector<int> inputs;
    for (ValueId input : value.inputs) inputs.push_back(scalar_of(input, operand.index));
    const int result = apply(value.op, inputs);
    inlined_[{operand.base, key}] = result;
    return result;
  }
  if (!memory_.stored(operand.base)) {
    // If a library operation needs the value in another layout, that copy is already in memory and can be
    // read here.
    const auto copy = clusters_.stored_copy(*space_, operand);
    if (copy && memory_.stored(copy->base) && memory_.earlier(copy->base)) return load(*copy);
  }
  return load(operand);
}

int LoopWriter::load(const Operand& operand) {
  const Access access =
      space_->access(memory_.load(operand.base), program_[operand.base].shape, operand.index);
  const auto [known, fresh] = load_scalars_.try_emplace({access.buffer, access.offset, access.strides});
  if (fresh) {
    Scalar scalar;
    scalar.kind = Scalar::Kind::load;
    scalar.index = static_cast<int>(loop_.loads.size());
    loop_.loads.push_back(access);
    known->second = append(scalar);
  }
  return known->second;
}

int LoopWriter::iota(const Value& value, const Index& index) {
  const Form form = index[static_cast<size_t>(value.ints[0])];
  Scalar number;
  number.kind = Scalar::Kind::constant;
  number.number = static_cast<double>(form.offset);
  int sum = append(number);
  for (size_t axis = 0; axis < form.coefficients.size(); ++axis) {
    if (form.coefficients[axis] == 0) continue;
    Scalar position;
    position.kind = Scalar::Kind::iota;
    position.index = static_cast<int>(axis);
    number.number = static_cast<double>(form.coefficients[axis]);
    const int step = append(number);
    sum = apply(Op::add, {sum, apply(Op::multiply, {append(position), step})});
  }
  return sum;
}

/// Can the operand be recomputed with few operations from values that lie in memory anyway? If a view on the
/// way has no affine index, the answer is no: the value is then loaded.
bool LoopWriter::cheap(const Operand& operand, int depth) {
  const Value& value = program_[operand.base];
  if (depth == 0 || !one_instruction(value.op)) return false;
  return std::ranges::all_of(value.inputs, [&](ValueId input) {
    const auto below = clusters_.resolve(*space_, input, operand.index);
    if (!below) return false;
    const OpGroup group = info(program_[below->base].op).group;
    const bool there = group == OpGroup::leaf || group == OpGroup::library || memory_.stored(below->base);
    return there || cheap(*below, depth - 1);
  });
}

int LoopWriter::atom_scalar(int atom) {
  if (const auto known = atom_scalars_.find(atom); known != atom_scalars_.end()) return known->second;
  const Value& value = program_[clusters_.atoms()[static_cast<size_t>(atom)].value];
  const OpGroup group = info(value.op).group;
  int result;
  if (group == OpGroup::leaf) {  // a constant or an iota that must lie in memory
    Scalar scalar;
    scalar.kind = Scalar::Kind::constant;
    scalar.number = value.number;
    if (value.op == Op::constant) {
      result = append(scalar);
    } else if (value.op == Op::iota) {
      result = iota(value, space_->held().at(atom));
    } else {
      throw std::logic_error("a leaf in memory is read where it lies");
    }
  } else {
    const auto operands = clusters_.operands(*space_, atom);
    std::vector<int> inputs;
    for (const Operand& operand : *operands) inputs.push_back(base_scalar(operand));
    if (group == OpGroup::pointwise || group == OpGroup::random) {
      result = apply(value.op, inputs);
      loop_.body.back().site = value.site;
    } else {
      result = inputs[0];  // a copy, a piece, or the operand of a reduction
    }
  }
  atom_scalars_[atom] = result;
  return result;
}

void LoopWriter::store(int atom) {
  const Atom& a = clusters_.atoms()[static_cast<size_t>(atom)];
  const Value& value = program_[a.value];
  Store store;
  store.scalar = atom_scalar(atom);
  Index index = space_->held().at(atom);
  if (clusters_.is_reduction(atom)) {
    Index kept;
    for (size_t axis = 0; axis < index.size(); ++axis) {
      if (std::ranges::count(value.ints, static_cast<int64_t>(axis)) == 0) kept.push_back(index[axis]);
    }
    index = std::move(kept);
    store.combine = value.op == Op::sum ? Combine::sum : value.op == Op::max ? Combine::max : Combine::min;
  } else if (a.piece >= 0) {
    index[static_cast<size_t>(value.ints[0])].offset += a.begin;
  }
  const Shape& shape = clusters_.is_flat_copy(atom) ? clusters_.run_shape(atom) : value.shape;
  store.access = space_->access(memory_.store(a.value), shape, index);
  loop_.stores.push_back(std::move(store));
  if (loop_.stores.size() <= 3) {
    if (!loop_.name.empty()) loop_.name += " + ";
    // A copy gets the name of the value that it copies.
    const bool copy = info(value.op).group == OpGroup::shape;
    const ValueId named = copy ? clusters_.base_of(clusters_.read_values(atom)[0]) : a.value;
    loop_.name += info(program_[named].op).name;
  }
}

/// Puts kept axes before reduced axes. Within each group, rows come first, then long strides before short
/// ones. If there is a draw, its numbering decides instead of the strides.
void LoopWriter::order_axes(const std::vector<int>& atoms) {
  const size_t count = space_->axes().size();
  std::vector<bool> dropped(count, false);
  std::vector<int64_t> numbering;
  for (int atom : atoms) {
    if (clusters_.is_reduction(atom)) dropped = clusters_.dropped_axes(*space_, atom);
    if (clusters_.is_random(atom))
      numbering = space_->access(0, clusters_.run_shape(atom), space_->held().at(atom)).strides;
  }
  // An axis is sorted by its stride in the first store that moves along it. If no store does, its largest
  // stride in a load counts.
  auto stride_by = [&](size_t axis) -> int64_t {
    if (!numbering.empty()) return numbering[axis];
    for (const Store& store : loop_.stores) {
      if (store.access.strides[axis] != 0) return store.access.strides[axis];
    }
    int64_t widest = 0;
    for (const Access& load : loop_.loads) widest = std::max(widest, load.strides[axis]);
    return widest;
  };
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    if (dropped[a] != dropped[b]) return !dropped[a];
    const bool rows_a = space_->axes()[a].batch >= 0, rows_b = space_->axes()[b].batch >= 0;
    if (rows_a != rows_b) return rows_a;
    return stride_by(a) > stride_by(b);
  });
  std::vector<int> place(count);
  for (size_t i = 0; i < count; ++i) {
    loop_.space.push_back(space_->axes()[order[i]]);
    loop_.kept += dropped[order[i]] ? 0 : 1;
    place[order[i]] = static_cast<int>(i);
  }
  auto permute = [&](Access& access) {
    std::vector<int64_t> strides(count);
    for (size_t i = 0; i < count; ++i) strides[i] = access.strides[order[i]];
    access.strides = std::move(strides);
  };
  for (Access& load : loop_.loads) permute(load);
  for (Store& store : loop_.stores) permute(store.access);
  for (Scalar& scalar : loop_.body) {
    if (scalar.kind == Scalar::Kind::iota) scalar.index = place[static_cast<size_t>(scalar.index)];
  }
}

/// Joins neighbouring axes if every access runs through both without a gap.
void LoopWriter::merge_axes() {
  for (size_t outer = loop_.space.size(); outer-- > 0;) {
    const size_t inner = outer + 1;
    if (inner >= loop_.space.size()) continue;
    const bool boundary = static_cast<int>(outer) < loop_.kept && static_cast<int>(inner) >= loop_.kept;
    if (boundary || loop_.space[outer].batch >= 0 || loop_.space[inner].batch >= 0) continue;
    const int64_t length = loop_.space[inner].size;
    auto gapless = [&](const Access& access) {
      return access.strides[outer] == access.strides[inner] * length;
    };
    auto counts = [&](const Scalar& scalar) {
      return scalar.kind == Scalar::Kind::iota &&
             (scalar.index == static_cast<int>(outer) || scalar.index == static_cast<int>(inner));
    };
    if (!std::ranges::all_of(loop_.loads, gapless) ||
        !std::ranges::all_of(loop_.stores, [&](const Store& store) { return gapless(store.access); }) ||
        std::ranges::any_of(loop_.body, counts))
      continue;
    loop_.space[outer].size *= length;
    auto drop = [&](Access& access) {
      access.strides[outer] = access.strides[inner];
      access.strides.erase(access.strides.begin() + static_cast<std::ptrdiff_t>(inner));
    };
    for (Access& load : loop_.loads) drop(load);
    for (Store& store : loop_.stores) drop(store.access);
    loop_.space.erase(loop_.space.begin() + static_cast<std::ptrdiff_t>(inner));
    if (static_cast<int>(outer) < loop_.kept) --loop_.kept;
    for (Scalar& scalar : loop_.body) {
      if (scalar.kind == Scalar::Kind::iota && scalar.index > static_cast<int>(outer)) --scalar.index;
    }
  }
}

}  // namespace tensor
