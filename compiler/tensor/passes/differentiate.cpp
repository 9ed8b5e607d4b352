#include "compiler/tensor/passes/differentiate.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "compiler/tensor/passes/adjoints.h"

namespace tensor {
namespace {

/// By value of the program as it was built: the values that read it. By parameter: the values that stand for
/// it.
class Readers {
 public:
  explicit Readers(const Program& program) : readers_(program.values.size()) {
    for (size_t i = 0; i < readers_.size(); ++i) {
      const Value& value = program.values[i];
      const auto id = static_cast<int32_t>(i);
      if (value.op == Op::parameter) of_parameter_[static_cast<size_t>(value.index)].push_back({id});
      if (value.op == Op::stop || info(value.op).group == semantics::OpGroup::random) continue;
      for (const ValueId input : value.inputs) readers_[static_cast<size_t>(input.index)].push_back(id);
    }
  }

  /// The values that stand for a parameter, ascending.
  const std::vector<ValueId>& values_of(size_t parameter) const {
    static const std::vector<ValueId> none;
    const auto found = of_parameter_.find(parameter);
    return found == of_parameter_.end() ? none : found->second;
  }

  /// The `roots` and all values that depend on one of them, ascending. A path through stop or a draw does not
  /// count.
  std::vector<int32_t> reached_from(const std::vector<ValueId>& roots) const {
    std::unordered_set<int32_t> seen;
    std::vector<int32_t> reached;
    const auto reach = [&](int32_t value) {
      if (seen.insert(value).second) reached.push_back(value);
    };
    for (const ValueId root : roots) reach(root.index);
    for (size_t next = 0; next < reached.size(); ++next)
      for (const int32_t reader : readers_[static_cast<size_t>(reached[next])]) reach(reader);
    std::ranges::sort(reached);
    return reached;
  }

 private:
  std::vector<std::vector<int32_t>> readers_;
  std::unordered_map<size_t, std::vector<ValueId>> of_parameter_;
};

/// The adjoints of the active values, where the objective is the sum over terms of <seed, value>.
Reverse sweep(Program& program, const std::vector<Term>& terms, const std::vector<int32_t>& active) {
  Reverse reverse(program, active);
  for (const Term& term : terms) reverse.give(term.value, term.seed);
  for (size_t i = active.size(); i-- > 0;) {
    const ValueId y{active[i]};
    const ValueId y_adjoint = reverse.adjoint(y);
    if (!y_adjoint) continue;
    const Value value = program[y];  // a copy: rules append to the program
    if (info(value.op).group == semantics::OpGroup::leaf) continue;
    adjoint_rule(value.op)(reverse, value, y, y_adjoint);
  }
  return reverse;
}

/// The gradient of the sum over terms of <seed, value> by each of the parameters on which a term depends.
std::vector<Gradient> gradients(Program& program, const std::vector<Term>& terms, const Readers& readers,
                                const std::vector<size_t>& parameters) {
  std::vector<ValueId> roots;
  for (const size_t parameter : parameters)
    std::ranges::copy(readers.values_of(parameter), std::back_inserter(roots));
  Reverse reverse = sweep(program, terms, readers.reached_from(roots));
  std::vector<Gradient> result;
  for (const size_t parameter : parameters) {
    ValueId gradient;
    for (const ValueId value : readers.values_of(parameter)) {
      const ValueId part = reverse.adjoint(value);
      if (part) gradient = gradient ? reverse.emit.add(gradient, part) : part;
    }
    if (gradient) result.push_back({{static_cast<int32_t>(parameter)}, gradient});
  }
  return result;
}

/// One reverse sweep for all players.
void differentiate_shared(Program& program) {
  std::map<int, PlayerUpdate*> updates;
  for (PlayerUpdate& update : program.updates) updates[update.player] = &update;
  std::vector<size_t> parameters;
  for (size_t p = 0; p < program.parameters.size(); ++p)
    if (updates.contains(program.parameters[p].player)) parameters.push_back(p);
  for (const Gradient& gradient : gradients(program, program.shared, Readers(program), parameters)) {
    const int owner = program.parameters[static_cast<size_t>(gradient.parameter.index)].player;
    updates.at(owner)->gradients.push_back(gradient);
  }
  program.shared.clear();
}

}  // namespace

ValueId gradient_in(Program& program, const Term& term, ValueId input) {
  // Values below the input are not active, so the sweep ends at the input.
  Reverse reverse = sweep(program, {term}, Readers(program).reached_from({input}));
  const ValueId gradient = reverse.adjoint(input);
  return gradient ? gradient : reverse.emit.constant(0, Shape(program[input].shape));
}

Program differentiate(Program program) {
  if (!program.shared.empty()) {
    differentiate_shared(program);
    return program;
  }
  const Readers readers(program);
  for (size_t u = 0; u < program.updates.size(); ++u) {
    const std::vector<Term> terms = std::exchange(program.updates[u].terms, {});
    const std::vector<size_t>& parameters = program.parameters.of_player(program.updates[u].player);
    program.updates[u].gradients = gradients(program, terms, readers, parameters);
  }
  return program;
}

}  // namespace tensor
