#include "compiler/tensor/passes/differentiate.h"

#include "compiler/tensor/passes/adjoints.h"

namespace tensor {
namespace {

/// Which values depend on a parameter of the player without passing through stop or a draw.
std::vector<bool> active_values(const Program& program, int player) {
  std::vector<bool> active(program.values.size(), false);
  for (size_t i = 0; i < program.values.size(); ++i) {
    const Value& value = program.values[i];
    if (value.op == Op::parameter) {
      active[i] = program.parameters[static_cast<size_t>(value.index)].player == player;
    } else if (value.op != Op::stop && info(value.op).group != semantics::OpGroup::random) {
      for (ValueId input : value.inputs) active[i] = active[i] || active[static_cast<size_t>(input.index)];
    }
  }
  return active;
}

void differentiate_update(Program& program, PlayerUpdate& update) {
  const size_t forward = program.values.size();
  Reverse reverse(program, active_values(program, update.player));
  for (const Term& term : update.terms) reverse.give(term.value, term.seed);
  for (size_t i = forward; i-- > 0;) {
    const ValueId y{static_cast<int32_t>(i)};
    const ValueId y_adjoint = reverse.adjoint(y);
    if (!y_adjoint) continue;
    const Value value = program[y];  // a copy: rules append to the program
    if (info(value.op).group == semantics::OpGroup::leaf) continue;
    adjoint_rule(value.op)(reverse, value, y, y_adjoint);
  }
  for (size_t p = 0; p < program.parameters.size(); ++p) {
    if (program.parameters[p].player != update.player) continue;
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
    update.gradients.push_back({{static_cast<int32_t>(p)}, gradient});
  }
  update.terms.clear();
}

}  // namespace

Program differentiate(Program program) {
  for (PlayerUpdate& update : program.updates) differentiate_update(program, update);
  return program;
}

}  // namespace tensor
