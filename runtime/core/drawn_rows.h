// Rows that a model's players draw from nothing, for others: another program's source, or files that are
// published. A draw is a function of (seed, step) and the parameters alone.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "runtime/core/plan.h"
#include "runtime/core/sampler.h"
#include "runtime/data/population.h"
#include "runtime/data/table.h"

namespace core {

/// The plan's variables, by chains of `sweeps` where there are any. Each step has random numbers of its own.
Values draw_rows(Sampler& sampler, const Image& image, const Plan& plan, int64_t sweeps, uint64_t seed,
                 uint64_t step, int64_t rows);

/// As tables hold them: classes as indices, [rows, shape as declared], all else [rows, tensor shape].
struct TableValues {
  data::Shape row_shape;
  std::vector<float> values;
};
TableValues table_values(const Variable& variable, const std::vector<float>& values, int64_t rows);

/// The variable that a column gives, with the domain that the column's values must have.
data::VariableSpec spec_of(const Image& image, const DataColumn& column);

/// What a data expression asks of a table, by name; "" is its first column.
void collect_columns(const nlohmann::json& expression, const nlohmann::json& reader,
                     const std::string& column, std::set<std::string>& names);

}  // namespace core
