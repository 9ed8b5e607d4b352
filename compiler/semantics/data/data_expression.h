// Data expressions of sources and of top-level lets. In: syntax. Out: values of kind `data`. When a variable
// takes the data, noise becomes nodes of the graph; the runtime reads only the column leaves.
#pragma once
#include "compiler/semantics/analysis.h"

namespace semantics {

/// The value of `expr`. It is data if `expr` mentions a reader or a table; otherwise the evaluator computes
/// it.
Value evaluate_data(const syntax::Expr& expr, Scope& scope, Analysis& analysis);

/// `let a = e`, where e may be data.
void bind_data(const syntax::Assign& assign, Scope& scope, Analysis& analysis);

/// Whether the data contain `flip` or `jitter`.
bool has_noise(const schema::DataExpression& data);

/// The same data without the noise.
schema::DataExpression without_noise(const schema::DataExpression& data);

/// `data` as the variable takes them: if the file names no picture size, pictures have the variable's size.
schema::DataExpression data_of_variable(const schema::DataExpression& data, const Variable& variable);

/// The draws of noise so far. If a let with noise is used twice, its noise is drawn once.
using Draws = std::map<std::pair<int64_t, Shape>, NodeId>;

/// The data as the tensor of `variable`; none after an error.
NodeId node_of_data(const Value& data, VariableId variable, Draws& draws, Analysis& analysis);

}  // namespace semantics
