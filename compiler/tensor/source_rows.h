// The beginning of every program: places of parameters, and the variables that are known, bound to values of
// one source's rows (or of the caller's). What is drawn is a constant to every term.
#pragma once
#include "compiler/tensor/translate.h"

namespace tensor {

Program empty_program(const ModelBasis& basis, std::string name);

/// A drawn value, through which no gradient flows: [rows, ...] of the sample's shape.
ValueId drawn_constant(Program& program, Translator& rows, semantics::NodeId sample);

/// Of a conditional's own sample, named as a draw.
ValueId drawn_constant(const semantics::Model& model, const semantics::Conditional& conditional,
                       Program& program, Translator& rows);
/// The value's buffer is called `draw player.variable` (runtime/image.md).
void name_draw(const semantics::Model& model, const semantics::Conditional& conditional, Program& program,
               ValueId value);

/// Binds what a source's rows give, or one value of it.
void bind_given(const semantics::Model& model, const semantics::Given& given, Program& program,
                Translator& rows);
void bind_givens(const semantics::Model& model, const semantics::Source& source, Program& program,
                 Translator& rows);

/// Binds inputs named `variable` + suffix.
void bind_inputs(const semantics::Model& model, const std::vector<semantics::VariableId>& variables,
                 const std::string& suffix, Program& program, Translator& rows);

}  // namespace tensor
