#include "compiler/tensor/passes/clusters.h"

#include <algorithm>
#include <map>
#include <queue>
#include <set>

namespace tensor {
namespace {
using semantics::OpGroup;
// A loop that reads and writes more arrays than this loses more time than the fusion saves.
constexpr size_t most_accesses = 12;
// More operations in one loop save nothing, and the work to write a loop grows with their number.
constexpr size_t most_atoms = 256;

/// `atoms` must be ascending.
bool contains(const std::vector<int>& atoms, int atom) { return std::ranges::binary_search(atoms, atom); }
}  // namespace

Clusters::Clusters(const Program& program, std::vector<bool> in_memory)
    : program_(program), in_memory_(std::move(in_memory)), atoms_of_(program.values.size()) {
  auto add = [&](size_t value, int piece, bool loop, int64_t begin = 0) {
    atoms_of_[value].push_back(static_cast<int>(atoms_.size()));
    atoms_.push_back({{static_cast<int32_t>(value)}, piece, begin, loop});
  };
  for (size_t i = 0; i < program.values.size(); ++i) {
    const Value& value = program.values[i];
    const OpGroup group = info(value.op).group;
    if (value.op == Op::column || group == OpGroup::library) {
      add(i, -1, false);
    } else if (value.op == Op::concat) {
      int64_t begin = 0;
      for (size_t piece = 0; piece < value.inputs.size(); ++piece) {
        add(i, static_cast<int>(piece), true, begin);
        begin += program[value.inputs[piece]].shape[static_cast<size_t>(value.ints[0])].size;
      }
    } else if (group == OpGroup::pointwise || group == OpGroup::random || group == OpGroup::reduce ||
               in_memory_[i]) {
      add(i, -1, true);
    }
  }
  std::vector<std::vector<int>> inputs(atoms_.size());
  for (size_t atom = 0; atom < atoms_.size(); ++atom) {
    std::set<ValueId> bases;
    for (ValueId read : read_values(static_cast<int>(atom))) {
      const ValueId base = base_of(read);
      if (!bases.insert(base).second) continue;
      std::ranges::copy(atoms_of(base), std::back_inserter(inputs[atom]));
    }
    plain_.push_back(is_plain(static_cast<int>(atom)));
  }
  order_ = ClusterOrder(std::move(inputs));
}

bool Clusters::is_view(ValueId id) const {
  if (in_memory_[static_cast<size_t>(id.index)]) return false;
  const Op op = program_[id].op;
  return op == Op::reshape || op == Op::transpose || op == Op::broadcast || op == Op::slice;
}

ValueId Clusters::base_of(ValueId value) const {
  while (is_view(value)) value = program_[value].inputs[0];
  return value;
}

std::vector<ValueId> Clusters::read_values(int atom) const {
  const Atom& a = atoms_[static_cast<size_t>(atom)];
  const Value& value = program_[a.value];
  if (a.piece >= 0) return {value.inputs[static_cast<size_t>(a.piece)]};
  return value.inputs;
}

const Shape& Clusters::run_shape(int atom) const {
  const Atom& a = atoms_[static_cast<size_t>(atom)];
  if (a.piece >= 0 || is_reduction(atom) || is_flat_copy(atom)) return program_[read_values(atom)[0]].shape;
  return program_[a.value].shape;
}

bool Clusters::is_reduction(int atom) const {
  return info(program_[atoms_[static_cast<size_t>(atom)].value].op).group == OpGroup::reduce;
}
bool Clusters::is_flat_copy(int atom) const {
  return program_[atoms_[static_cast<size_t>(atom)].value].op == Op::reshape;
}
bool Clusters::is_random(int atom) const {
  return info(program_[atoms_[static_cast<size_t>(atom)].value].op).group == OpGroup::random;
}

// A sum over the rows (or over the first axis, if there are no rows) that keeps other axes.
bool Clusters::column_reduction(int atom) const {
  if (!is_reduction(atom)) return false;
  const Value& value = program_[atoms_[static_cast<size_t>(atom)].value];
  return !value.shape.empty() && value.ints[0] == 0;
}

std::optional<Operand> Clusters::resolve(IndexSpace& space, ValueId value, Index index) const {
  while (is_view(value)) {
    auto below = space.pull(program_, program_[value], index);
    if (!below) return {};
    index = std::move(*below);
    value = program_[value].inputs[0];
  }
  return Operand{value, std::move(index)};
}

std::optional<std::vector<Operand>> Clusters::operands(IndexSpace& space, int atom) const {
  std::vector<Operand> result;
  const Value& value = program_[atoms_[static_cast<size_t>(atom)].value];
  const bool copy =
      info(value.op).group == OpGroup::shape && value.op != Op::concat && value.op != Op::reshape;
  for (ValueId read : read_values(atom)) {
    Index index = space.held().at(atom);
    if (copy) {
      auto below = space.pull(program_, value, index);
      if (!below) return {};
      index = std::move(*below);
    }
    auto operand = resolve(space, read, std::move(index));
    if (!operand) return {};
    result.push_back(std::move(*operand));
  }
  return result;
}

/// Follows the views from `from` down to `known` and adds them to `path`. From the index of `known`, computes
/// the index of the outermost view of the path.
std::optional<Index> Clusters::push_path(IndexSpace& space, std::vector<ValueId> path, ValueId from,
                                         ValueId known, const Index& index) const {
  while (from != known && is_view(from)) {
    path.push_back(from);
    from = program_[from].inputs[0];
  }
  if (from != known) return {};
  std::optional<Index> pushed = index;
  while (pushed && !path.empty()) {
    pushed = space.push(program_, program_[path.back()], *pushed);
    path.pop_back();
  }
  return pushed;
}

/// Computes the index of `atom` from the index of `known`, if an input of the atom is a lossless view of
/// `known`. `key` is the key of that index in `held`. A path may split axes even if it finds no index, so the
/// loop reads the index from `held` again for each input.
bool Clusters::push_through(IndexSpace& space, int atom, ValueId known, int key) const {
  const Atom& a = atoms_[static_cast<size_t>(atom)];
  const bool copy = info(program_[a.value].op).group == OpGroup::shape && a.piece < 0 && !is_flat_copy(atom);
  for (ValueId read : read_values(atom)) {
    auto pushed = push_path(space, copy ? std::vector{a.value} : std::vector<ValueId>{}, read, known,
                            space.held().at(key));
    if (!pushed) continue;
    space.held()[atom] = std::move(*pushed);
    return true;
  }
  return false;
}

std::optional<Operand> Clusters::stored_copy(const IndexSpace& space, const Operand& operand) const {
  for (int producer : atoms_of(operand.base)) {
    for (int user : order_.users_of(producer)) {
      const ValueId copy = atoms_[static_cast<size_t>(user)].value;
      if (program_[copy].op != Op::transpose) continue;
      IndexSpace trial = space;
      const auto index = push_path(trial, {copy}, program_[copy].inputs[0], operand.base, operand.index);
      if (index && trial.axes().size() == space.axes().size()) return Operand{copy, *index};
    }
  }
  return {};
}

std::optional<IndexSpace> Clusters::common_space(const std::vector<int>& atoms) const {
  // A draw decides the shape of the space, because its elements are numbered along the space. Otherwise a
  // reduction decides, because it drops some axes.
  auto first = std::ranges::find_if(atoms, [&](int atom) { return is_random(atom); });
  if (first == atoms.end()) first = std::ranges::find_if(atoms, [&](int atom) { return is_reduction(atom); });
  if (first == atoms.end()) first = atoms.begin();
  IndexSpace space(run_shape(*first));
  space.held()[*first] = space.identity();
  // Besides the atoms' indices, `held` keeps an index for each value outside the cluster that covers the
  // space, under the key -2 - value. Two atoms that read such a value find a common index through it.
  auto anchor = [](ValueId value) { return -2 - value.index; };
  auto inside = [&](ValueId base) {
    const auto& candidates = atoms_of(base);
    return candidates.size() == 1 && contains(atoms, candidates[0]) ? candidates[0] : -1;
  };
  std::set<int> expanded;
  for (bool changed = true; changed;) {
    changed = false;
    for (int atom : atoms) {
      if (!space.held().contains(atom) || expanded.contains(atom)) continue;
      expanded.insert(atom);
      changed = true;
      const auto read = operands(space, atom);
      if (!read) return {};
      // Later operands may have split axes of earlier ones: compute the operands again, now that all splits
      // are made.
      const auto settled = operands(space, atom);
      for (const Operand& operand : *settled) {
        const int producer = inside(operand.base);
        if (producer < 0) {
          // A value made in pieces is complete only after the loops of all its pieces, so this loop cannot
          // read it.
          if (std::ranges::any_of(atoms_of(operand.base), [&](int piece) { return contains(atoms, piece); }))
            return {};
          if (space.covers(program_[operand.base].shape, operand.index))
            space.held().emplace(anchor(operand.base), operand.index);
          continue;
        }
        if (is_reduction(producer) || is_flat_copy(producer) ||
            !space.covers(run_shape(producer), operand.index))
          return {};
        const auto [held, fresh] = space.held().emplace(producer, operand.index);
        if (!fresh && held->second != operand.index) return {};
      }
    }
    for (int atom : atoms) {
      if (space.held().contains(atom)) continue;
      for (ValueId read : read_values(atom)) {
        const ValueId base = base_of(read);
        const int producer = inside(base);
        if (producer >= 0 && (is_reduction(producer) || is_flat_copy(producer))) return {};
        const int known = producer >= 0 ? producer : anchor(base);
        if (space.held().contains(known) && push_through(space, atom, base, known)) {
          changed = true;
          break;
        }
      }
    }
  }
  for (int atom : atoms) {
    const auto held = space.held().find(atom);
    if (held == space.held().end() || !space.covers(run_shape(atom), held->second)) return {};
  }
  // All draws must use the same numbering, and all reductions must drop the same axes. A loop cannot have
  // both a draw and a reduction.
  std::optional<std::vector<int64_t>> numbering;
  std::optional<std::vector<bool>> dropped;
  for (int atom : atoms) {
    if (is_random(atom)) {
      const auto linear = space.access(0, run_shape(atom), space.held().at(atom)).strides;
      if (numbering && *numbering != linear) return {};
      numbering = linear;
    } else if (is_reduction(atom)) {
      const auto axes = dropped_axes(space, atom);
      if (axes.empty() || (dropped && *dropped != axes)) return {};
      dropped = axes;
    }
  }
  if (numbering && dropped) return {};
  return space;
}

std::vector<bool> Clusters::dropped_axes(const IndexSpace& space, int atom) const {
  const Value& value = program_[atoms_[static_cast<size_t>(atom)].value];
  const Index& index = space.held().at(atom);
  std::vector<bool> dropped(space.axes().size(), false), kept(space.axes().size(), false);
  for (size_t axis = 0; axis < index.size(); ++axis) {
    auto& side = std::ranges::count(value.ints, static_cast<int64_t>(axis)) > 0 ? dropped : kept;
    for (size_t s = 0; s < side.size(); ++s) side[s] = side[s] || index[axis].coefficients[s] != 0;
  }
  for (size_t s = 0; s < dropped.size(); ++s) {
    if (dropped[s] && kept[s]) return {};
  }
  return dropped;
}

size_t Clusters::accesses(const std::vector<int>& atoms) const {
  std::set<ValueId> loads;
  size_t stores = 0;
  for (int atom : atoms) {
    for (ValueId read : read_values(atom)) {
      const ValueId base = base_of(read);
      const Op op = program_[base].op;
      // A number that the caller gives is loaded once for the whole loop.
      const bool number = op == Op::input && program_[base].shape.empty();
      if (op == Op::constant || op == Op::iota || number) continue;
      const auto& producers = atoms_of(base);
      if (producers.empty() || !contains(atoms, producers[0])) loads.insert(base);
    }
    const auto& users = order_.users_of(atom);
    const bool inner =
        !users.empty() && std::ranges::all_of(users, [&](int user) { return contains(atoms, user); });
    if (!inner || in_memory_[static_cast<size_t>(atoms_[static_cast<size_t>(atom)].value.index)]) ++stores;
  }
  return loads.size() + stores;
}

/// A pointwise value or a draw that reads no view and no value made in pieces. If plain atoms of one shape
/// are joined, the index of each is simply that of the shape.
bool Clusters::is_plain(int atom) const {
  const Value& value = program_[atoms_[static_cast<size_t>(atom)].value];
  const OpGroup group = info(value.op).group;
  return (group == OpGroup::pointwise || group == OpGroup::random) &&
         std::ranges::none_of(value.inputs,
                              [&](ValueId input) { return is_view(input) || atoms_of(input).size() > 1; });
}

bool Clusters::have_common_space(int a, int b, const std::vector<int>& both) const {
  if (plain_[static_cast<size_t>(a)] && plain_[static_cast<size_t>(b)])
    return run_shape(order_.atoms_of(a).front()) == run_shape(order_.atoms_of(b).front());
  return common_space(both).has_value();
}

/// One of the two atoms reads the other, or both read the same value.
bool Clusters::try_join(int a, int b) {
  a = order_.cluster_of(a);
  b = order_.cluster_of(b);
  if (a == b) return false;
  const std::vector<int>&first = order_.atoms_of(a), &second = order_.atoms_of(b);
  if (first.size() + second.size() > most_atoms) return false;
  std::vector<int> both;
  std::ranges::merge(first, second, std::back_inserter(both));
  if (!std::ranges::all_of(both, [&](int atom) { return atoms_[static_cast<size_t>(atom)].loop; }))
    return false;
  if (accesses(both) > most_accesses || !have_common_space(a, b, both) || !order_.join(a, b)) return false;
  plain_[static_cast<size_t>(a)] = plain_[static_cast<size_t>(a)] && plain_[static_cast<size_t>(b)];
  return true;
}

void Clusters::join() {
  const int count = static_cast<int>(atoms_.size());
  // Values with one reader come first: after the join, such a value never reaches memory.
  for (int atom = 0; atom < count; ++atom) {
    for (int producer : order_.inputs_of(atom)) {
      if (order_.users_of(producer).size() == 1) try_join(producer, atom);
    }
  }
  for (int atom = 0; atom < count; ++atom) {
    if (column_reduction(atom)) continue;
    for (int producer : order_.inputs_of(atom)) try_join(producer, atom);
  }
  // Then readers of one value: it is loaded only once, and a log-density and its gradient share a loop.
  std::map<ValueId, std::vector<int>> readers;
  for (int atom = 0; atom < count; ++atom) {
    if (!atoms_[static_cast<size_t>(atom)].loop || column_reduction(atom)) continue;
    for (ValueId read : read_values(atom)) {
      if (program_[base_of(read)].op != Op::constant) readers[base_of(read)].push_back(atom);
    }
  }
  for (const auto& [value, atoms] : readers) {
    for (size_t i = 0; i < atoms.size(); ++i) {
      for (size_t j = i + 1; j < std::min(atoms.size(), i + 8); ++j) try_join(atoms[i], atoms[j]);
    }
  }
  // Last, a sum over the rows joins the value that it sums, unless a row reduction or a draw prevents it.
  for (int atom = 0; atom < count; ++atom) {
    if (!column_reduction(atom)) continue;
    for (int producer : order_.inputs_of(atom)) try_join(producer, atom);
  }
}

std::vector<std::vector<int>> Clusters::ordered() const {
  std::vector<int> waiting(order_.size(), 0);
  std::vector<std::set<int>> after(order_.size());
  for (size_t cluster = 0; cluster < order_.size(); ++cluster) {
    for (int atom : order_.atoms_of(static_cast<int>(cluster))) {
      for (int user : order_.users_of(atom)) {
        const int next = order_.cluster_of(user);
        if (next != static_cast<int>(cluster)) after[cluster].insert(next);
      }
    }
    for (int next : after[cluster]) ++waiting[static_cast<size_t>(next)];
  }
  // Of the clusters that can run, take the one that comes first in the program: this keeps live ranges short.
  auto later = [&](int a, int b) { return order_.atoms_of(a).back() > order_.atoms_of(b).back(); };
  std::priority_queue<int, std::vector<int>, decltype(later)> ready(later);
  for (int cluster = 0; cluster < static_cast<int>(order_.size()); ++cluster) {
    if (waiting[static_cast<size_t>(cluster)] == 0 && !order_.atoms_of(cluster).empty()) ready.push(cluster);
  }
  std::vector<std::vector<int>> order;
  while (!ready.empty()) {
    const int cluster = ready.top();
    ready.pop();
    order.push_back(order_.atoms_of(cluster));
    for (int next : after[static_cast<size_t>(cluster)]) {
      if (--waiting[static_cast<size_t>(next)] == 0) ready.push(next);
    }
  }
  return order;
}

}  // namespace tensor
