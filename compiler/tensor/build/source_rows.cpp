#include "compiler/tensor/build/source_rows.h"

#include <fmt/format.h>

namespace tensor {
using semantics::Model;

Program empty_program(const ModelBasis& basis, std::string name) {
  Program program;
  program.name = std::move(name);
  program.parameters = basis.parameters;
  return program;
}

ValueId drawn_constant(Program& program, Translator& rows, semantics::NodeId sample) {
  return Emit(program).pointwise(Op::stop, rows.evaluate_rows(sample));
}

void name_draw(const Model& model, const semantics::Conditional& conditional, Program& program,
               ValueId value) {
  const std::string variable = model[conditional.target].name;
  const std::string name = conditional.player.index >= 0
                               ? fmt::format("{}.{}", model[conditional.player].name, variable)
                               : variable;
  // Also names the values below the draw that share its memory: the input of a stop or a reshape.
  while (value) {
    Value& named = program.values[static_cast<size_t>(value.index)];
    if (info(named.op).group == semantics::OpGroup::leaf || !named.name.empty()) return;
    named.name = "draw " + name;
    const bool same = named.op == Op::stop || named.op == Op::reshape;
    value = same ? named.inputs[0] : ValueId{};
  }
}

ValueId drawn_constant(const Model& model, const semantics::Conditional& conditional, Program& program,
                       Translator& rows) {
  const ValueId value = drawn_constant(program, rows, conditional.sample);
  name_draw(model, conditional, program, value);
  return value;
}

void bind_given(const Model& model, const semantics::Given& given, Program& program, Translator& rows) {
  rows.bind(given.variable, given.drawn ? drawn_constant(model, model[*given.drawn], program, rows)
                                        : drawn_constant(program, rows, given.value));
}

void bind_givens(const Model& model, const semantics::Source& source, Program& program, Translator& rows) {
  for (const semantics::Given& given : source.givens) bind_given(model, given, program, rows);
}

void bind_inputs(const Model& model, const std::vector<semantics::VariableId>& variables,
                 const std::string& suffix, Program& program, Translator& rows) {
  for (semantics::VariableId id : variables) {
    Value value;
    value.op = Op::input;
    value.name = model[id].name + suffix;
    value.shape = {rows.rows()};
    for (int64_t n : model[id].tensor_shape()) value.shape.push_back({n, -1});
    rows.bind(id, program.add(std::move(value)));
  }
}

}  // namespace tensor
