#include "compiler/tensor/passes/differentiate.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "compiler/tensor/passes/adjoints.h"

namespace tensor {
namespace {

using Players = std::set<int>;

/// Which values depend on one that `begins` says, without passing through stop or a draw.
std::vector<bool> active_values(const Program& program, const std::function<bool(size_t)>& begins) {
  std::vector<bool> active(program.values.size(), false);
  for (size_t i = 0; i < program.values.size(); ++i) {
    const Value& value = program.values[i];
    if (begins(i)) {
      active[i] = true;
    } else if (value.op != Op::stop && info(value.op).group != semantics::OpGroup::random) {
      for (ValueId input : value.inputs) active[i] = active[i] || active[static_cast<size_t>(input.index)];
    }
  }
  return active;
}

/// Adjoints of all values for the sum over terms of <seed, value>.
Reverse sweep(Program& program, const std::vector<Term>& terms, std::vector<bool> active) {
  const size_t forward = program.values.size();
  Reverse reverse(program, std::move(active));
  for (const Term& term : terms) reverse.give(term.value, term.seed);
  for (size_t i = forward; i-- > 0;) {
    const ValueId y{static_cast<int32_t>(i)};
    const ValueId y_adjoint = reverse.adjoint(y);
    if (!y_adjoint) continue;
    const Value value = program[y];  // a copy: rules append to the program
    if (info(value.op).group == semantics::OpGroup::leaf) continue;
    adjoint_rule(value.op)(reverse, value, y, y_adjoint);
  }
  return reverse;
}

/// The gradient of sum over terms of <seed, value> in each parameter of the players, in order; zeros where no
/// term depends on it.
std::vector<Gradient> gradients(Program& program, const std::vector<Term>& terms, const Players& players) {
  const size_t forward = program.values.size();
  Reverse reverse =
      sweep(program, terms, active_values(program, [&](size_t i) {
              const Value& value = program.values[i];
              return value.op == Op::parameter &&
                     players.contains(program.parameters[static_cast<size_t>(value.index)].player);
            }));
  std::vector<Gradient> result;
  for (size_t p = 0; p < program.parameters.size(); ++p) {
    if (!players.contains(program.parameters[p].player)) continue;
    ValueId gradient;
    for (size_t i = 0; i < forward; ++i) {
      const Value& value = program.values[i];
      if (value.op != Op::parameter || static_cast<size_t>(value.index) != p) continue;
      const ValueId part = reverse.adjoint({static_cast<int32_t>(i)});
      if (part) gradient = gradient ? reverse.emit.add(gradient, part) : part;
    }
    if (!gradient) {
      Shape shape;
      for (int64_t n : program.parameters[p].shape) shape.push_back({n, -1});
      gradient = reverse.emit.constant(0, shape);
    }
    result.push_back({{static_cast<int32_t>(p)}, gradient});
  }
  return result;
}

/// One reverse sweep for all players.
void differentiate_shared(Program& program) {
  Players players;
  for (const PlayerUpdate& update : program.updates) players.insert(update.player);
  for (const Gradient& gradient : gradients(program, program.shared, players)) {
    const int owner = program.parameters[static_cast<size_t>(gradient.parameter.index)].player;
    std::ranges::find(program.updates, owner, &PlayerUpdate::player)->gradients.push_back(gradient);
  }
  program.shared.clear();
}

}  // namespace

ValueId gradient_in(Program& program, const Term& term, ValueId input) {
  const auto begins = [&](size_t i) { return static_cast<int32_t>(i) == input.index; };
  // What lies below the input is not active: the sweep ends there.
  Reverse reverse = sweep(program, {term}, active_values(program, begins));
  const ValueId gradient = reverse.adjoint(input);
  return gradient ? gradient : reverse.emit.constant(0, Shape(program[input].shape));
}

Program differentiate(Program program) {
  if (!program.shared.empty()) {
    differentiate_shared(program);
    return program;
  }
  for (size_t u = 0; u < program.updates.size(); ++u) {
    const std::vector<Term> terms = std::exchange(program.updates[u].terms, {});
    program.updates[u].gradients = gradients(program, terms, {program.updates[u].player});
  }
  return program;
}

}  // namespace tensor
