#include "compiler/tensor/source_rows.h"

namespace tensor {
using semantics::Model;

Program empty_program(const Model& model, std::string name) {
  Program program;
  program.name = std::move(name);
  program.parameters = parameter_places(model);
  return program;
}

ValueId drawn_constant(Program& program, Translator& rows, semantics::NodeId sample) {
  return Emit(program).pointwise(Op::stop, rows.evaluate_rows(sample));
}

void bind_givens(const Model& model, const semantics::Source& source, Program& program, Translator& rows) {
  for (const semantics::Given& given : source.givens) {
    const semantics::NodeId node = given.drawn ? model[*given.drawn].sample : given.value;
    rows.bind(given.variable, drawn_constant(program, rows, node));
  }
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
