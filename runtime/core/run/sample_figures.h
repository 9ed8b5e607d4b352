// What the model generates, beside the data, for variables that are not images: points, columns of a table,
// sequences. The figures are drawn while a run trains, and kept as JSON for its report.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/inference/sampler.h"
#include "runtime/core/run/generation.h"
#include "runtime/core/run/preprocessing.h"

namespace core {

class SampleFigures {
 public:
  /// `learned`: the names of the sources that are learned from; they say in which units values are shown.
  SampleFigures(Session& session, const std::vector<std::string>& learned);

  /// {"step", "variables": [{"name", "kind": columns or lines, "labels", "words", "data", "model"}]}; `data`
  /// and `model` are arrays of numbers: one column after the other, or one row of lines after the other.
  /// Classes are numbers. Nothing if the model generates no such variable.
  std::optional<nlohmann::json> draw(uint64_t seed, int64_t step);

 private:
  /// The data's rows of the variable; null if no source that is learned from has any.
  const std::vector<float>* data_of(int variable);
  std::optional<Drawn> draw_values();
  nlohmann::json figure_of(int variable, std::vector<float> generated);

  Session& session_;
  Preprocessing preprocessing_;
  std::vector<int> variables_;
  std::optional<Sampler> sampler_;
  std::optional<Values> data_;
};

}  // namespace core
