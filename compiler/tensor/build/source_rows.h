// The beginning of every program: the places of parameters, and the known variables, which are bound to
// values of a source's rows (or of the caller's rows). A drawn value is a constant to every term.
#pragma once
#include "compiler/tensor/build/translate.h"

namespace tensor {

Program empty_program(const ModelBasis& basis, std::string name);

/// A drawn value, through which no gradient flows: [rows, ...] of the sample's shape.
ValueId drawn_constant(Program& program, Translator& rows, semantics::NodeId sample);

/// The same for the conditional's own sample, which is named as a draw.
ValueId drawn_constant(const semantics::Model& model, const semantics::Conditional& conditional,
                       Program& program, Translator& rows);
/// Names the value's buffer `draw player.variable` (runtime/image.md).
void name_draw(const semantics::Model& model, const semantics::Conditional& conditional, Program& program,
               ValueId value);

/// Binds one given of a source, or all of them.
void bind_given(const semantics::Model& model, const semantics::Given& given, Program& program,
                Translator& rows);
void bind_givens(const semantics::Model& model, const semantics::Source& source, Program& program,
                 Translator& rows);

/// Binds inputs named `variable` + suffix.
void bind_inputs(const semantics::Model& model, const std::vector<semantics::VariableId>& variables,
                 const std::string& suffix, Program& program, Translator& rows);

}  // namespace tensor
