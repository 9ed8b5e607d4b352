// Data expressions of sources and top-level lets. In: syntax. Out: values of kind `data` that hold the JSON
// of runtime/image.md, with two operations more, `flip` and `jitter` (fresh noise at every draw), which
// become nodes of the graph when a variable takes the data: a column leaf is all that the runtime reads.
#pragma once
#include "compiler/semantics/analysis.h"

namespace semantics {

/// The value of `expr`: data where it mentions a reader or a table, else what the evaluator says.
Value evaluate_data(const syntax::Expr& expr, Scope& scope, Analysis& analysis);

/// `let a = e` where e may be data.
void bind_data(const syntax::Assign& assign, Scope& scope, Analysis& analysis);

/// Whether `flip` or `jitter` occurs in it.
bool has_noise(const nlohmann::json& data);

/// The same data without it.
nlohmann::json without_noise(const nlohmann::json& data);

/// `data` as the variable takes them: pictures of its own size where the file names none.
nlohmann::json data_of_variable(const nlohmann::json& data, const Variable& variable);

/// Noise that is drawn once where a let with noise is used twice.
using Draws = std::map<std::pair<int64_t, Shape>, NodeId>;

/// The data as the tensor of `variable`; none after an error.
NodeId node_of_data(const Value& data, VariableId variable, Draws& draws, Analysis& analysis);

}  // namespace semantics
