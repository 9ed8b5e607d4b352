// Rows that a model's players draw without any data, for other programs: as the rows of a source, or in files
// that are published. A draw depends only on (seed, step) and the parameters.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "runtime/core/inference/plan.h"
#include "runtime/core/inference/sampler.h"
#include "runtime/data/population.h"
#include "runtime/data/table.h"

namespace core {

/// Draws the plan's variables; its chains run `sweeps` sweeps. Each step has random numbers of its own.
Values draw_rows(Sampler& sampler, const Image& image, const Plan& plan, int64_t sweeps, uint64_t seed,
                 uint64_t step, int64_t rows);

/// Values in the form that tables have: categories as class indices, [rows, declared shape]; others as [rows,
/// tensor shape].
struct TableValues {
  data::Shape row_shape;
  std::vector<float> values;
};
TableValues table_values(const Variable& variable, const std::vector<float>& values, int64_t rows);

/// The variable that a column gives, with the domain that the column's values must have.
data::VariableSpec spec_of(const Image& image, const DataColumn& column);

/// Collects in `names` the columns that a data expression reads from the table of `reader`. "" stands for its
/// first column.
void collect_columns(const schema::DataExpression& expression, const schema::Reader& reader,
                     const std::string& column, std::set<std::string>& names);

}  // namespace core
