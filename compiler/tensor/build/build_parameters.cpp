#include "compiler/tensor/build/build_parameters.h"

#include <fmt/format.h>

#include "compiler/semantics/families/family_template.h"
#include "compiler/tensor/build/source_rows.h"

namespace tensor {

Program build_parameters(const ModelBasis& basis, semantics::ConditionalId id) {
  const semantics::Model& model = basis.model;
  const semantics::Conditional& conditional = model[id];
  Program program = empty_program(basis, fmt::format("parameters {}", model[conditional.target].name));
  program.batches = {-1};
  uint32_t next_site = 0;
  Translator rows(basis, program, 0, -1, next_site);
  bind_inputs(model, conditional.parents, "", program, rows);
  for (size_t i = 0; i < conditional.arguments.size(); ++i)
    program.outputs.push_back(
        {conditional.form->parameters[i].name, rows.evaluate_rows(conditional.arguments[i])});
  return program;
}

}  // namespace tensor
