#include "runtime/core/inference/enumerated.h"

#include <algorithm>

namespace core {
namespace {

constexpr int64_t most_states = 4096;

int64_t values_of_element(const Variable& variable) {
  if (variable.domain == "binary") return 2;
  return variable.domain == "category" ? variable.classes : 0;
}

int64_t positions_of(const Variable& variable) {
  return variable.domain == "category" ? variable.elements() / variable.classes : variable.elements();
}

}  // namespace

std::optional<int64_t> states_of(const Variable& variable) {
  const int64_t values = values_of_element(variable);
  if (values == 0) return std::nullopt;
  int64_t states = 1;
  for (int64_t position = 0; position < positions_of(variable); ++position) {
    states *= values;
    if (states > most_states) return std::nullopt;
  }
  return states;
}

Enumerated::Enumerated(const Image& image, const std::vector<int>& conditionals, const std::set<int>& known,
                       const std::set<int>& drawn)
    : image_(&image) {
  for (const int index : conditionals) {
    const Conditional& conditional = image.conditionals[static_cast<size_t>(index)];
    const auto states = states_of(image.variables[static_cast<size_t>(conditional.target)]);
    if (!states || drawn.contains(conditional.target) || states_ * *states > most_states) continue;
    if (conditional.log_density < 0) continue;
    const bool ready = std::ranges::all_of(conditional.parents, [&](int parent) {
      return known.contains(parent) || variables_.contains(parent);
    });
    if (!ready) continue;
    states_ *= *states;
    conditionals_.push_back(index);
    variables_.insert(conditional.target);
  }
}

void Enumerated::put(int64_t index, int64_t rows, Values& values) const {
  for (const int target : variables_) {
    const Variable& variable = image_->variables[static_cast<size_t>(target)];
    const int64_t each = values_of_element(variable), positions = positions_of(variable);
    std::vector<float> row(static_cast<size_t>(variable.elements()));
    for (int64_t position = 0; position < positions; ++position, index /= each) {
      const int64_t value = index % each;
      if (variable.domain == "category")
        row[static_cast<size_t>(value * positions + position)] = 1;
      else
        row[static_cast<size_t>(position)] = static_cast<float>(value);
    }
    std::vector<float>& to = values[target];
    to.clear();
    for (int64_t r = 0; r < rows; ++r) to.insert(to.end(), row.begin(), row.end());
  }
}

std::vector<double> Enumerated::log_probability(Sampler& sampler, const Values& values, int64_t rows) const {
  std::vector<double> sum(static_cast<size_t>(rows));
  for (const int conditional : conditionals_) {
    const std::vector<float> density = sampler.log_density(conditional, values, rows);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += density[i];
  }
  return sum;
}

}  // namespace core
