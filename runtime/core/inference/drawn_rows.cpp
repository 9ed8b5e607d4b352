#include "runtime/core/inference/drawn_rows.h"

#include "runtime/core/inference/conditioner.h"

namespace core {
namespace {

constexpr uint64_t runs_of_a_draw = uint64_t{1} << 20;  // steps of the sampler that are reserved for one draw

/// Changes one-hot values, class axis first, into class indices: [rows, K, n] into [rows, n].
std::vector<float> classes_of(const std::vector<float>& one_hot, int64_t rows, int64_t classes) {
  const int64_t positions = static_cast<int64_t>(one_hot.size()) / (rows * classes);
  std::vector<float> indices(static_cast<size_t>(rows * positions));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < positions; ++i)
      for (int64_t k = 0; k < classes; ++k)
        if (one_hot[static_cast<size_t>((row * classes + k) * positions + i)] > 0.5F)
          indices[static_cast<size_t>(row * positions + i)] = static_cast<float>(k);
  return indices;
}

}  // namespace

Values draw_rows(Sampler& sampler, const Image& image, const Plan& plan, int64_t sweeps, uint64_t seed,
                 uint64_t step, int64_t rows) {
  sampler.set_seed(seed);
  sampler.set_step(step * runs_of_a_draw);
  Effort effort;
  effort.sweeps = sweeps;
  Conditioner conditioner(sampler, image, plan, effort, seed + step);
  return conditioner.draw({}, rows);
}

TableValues table_values(const Variable& variable, const std::vector<float>& values, int64_t rows) {
  if (variable.domain != "category") return {variable.tensor_shape, values};
  return {variable.shape, classes_of(values, rows, variable.classes)};
}

data::VariableSpec spec_of(const Image& image, const DataColumn& column) {
  const Variable& variable = image.variables[static_cast<size_t>(column.variable)];
  return {variable.name, column.domain, variable.classes, variable.shape, variable.words};
}

void collect_columns(const schema::DataExpression& expression, const schema::Reader& reader,
                     const std::string& column, std::set<std::string>& names) {
  if (expression == reader) names.insert(column);
  const auto* named = expression.as<schema::TableColumn>();
  schema::for_each_part(expression, [&](const schema::DataExpression& part) {
    collect_columns(part, reader, named ? named->name : "", names);
  });
}

}  // namespace core
