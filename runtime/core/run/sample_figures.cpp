#include "runtime/core/run/sample_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/run/sample_grid.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using nlohmann::json;

constexpr int64_t rows = 256, shown_lines = 6;
constexpr int64_t longest_row_of_points = 12;  // a variable with more elements is a sequence
constexpr int64_t longest_line = 2000;
// Steps of the sampler that are reserved for one step of the run. There are fewer draws than this.
constexpr uint64_t draws_a_step = 1 << 14;
// Figures use another random key than training and pictures.
constexpr uint64_t figure_key = 0x5851F42D4C957F2Du;

bool is_shown(const Variable& variable) {
  return variable.shape.empty() || (variable.shape.size() == 1 && variable.shape[0] <= longest_line);
}

/// [rows, elements of the shape]; for a category, the class of the greatest value.
std::vector<float> numbers_of(const Variable& variable, const std::vector<float>& values, int64_t count) {
  if (variable.domain != "category") return values;
  std::vector<float> classes;
  for (int64_t row = 0; row < count; ++row)
    for (const int64_t k : most_probable(values.data() + row * variable.elements(), variable))
      classes.push_back(static_cast<float>(k));
  return classes;
}

json number(float value) { return std::isfinite(value) ? json(value) : json(); }

json columns_of(const std::vector<float>& values, int64_t width) {
  json columns = json::array();
  for (int64_t column = 0; column < width; ++column) {
    json numbers = json::array();
    for (size_t i = static_cast<size_t>(column); i < values.size(); i += static_cast<size_t>(width))
      numbers.push_back(number(values[i]));
    columns.push_back(std::move(numbers));
  }
  return columns;
}

json lines_of(const std::vector<float>& values, int64_t width) {
  json lines = json::array();
  for (int64_t row = 0; row < shown_lines && (row + 1) * width <= static_cast<int64_t>(values.size());
       ++row) {
    json numbers = json::array();
    for (int64_t i = 0; i < width; ++i)
      numbers.push_back(number(values[static_cast<size_t>(row * width + i)]));
    lines.push_back(std::move(numbers));
  }
  return lines;
}

}  // namespace

SampleFigures::SampleFigures(Session& session, const std::vector<std::string>& learned)
    : session_(session), preprocessing_(session.image, learned) {
  for (const int variable : generated_variables(session.image))
    if (is_shown(session.image.variables[static_cast<size_t>(variable)])) variables_.push_back(variable);
}

const std::vector<float>* SampleFigures::data_of(int variable) {
  if (!data_) {
    data_.emplace();
    sampler_->set_step(0);  // so that every figure of a run shows the same data
    for (size_t s = 0; s < session_.image.sources.size(); ++s) {
      const Source& source = session_.image.sources[s];
      if (source.weight <= 0 || source.program < 0 || !sampler_->has_rows(static_cast<int>(s))) continue;
      if (std::ranges::none_of(variables_, [&](int v) { return std::ranges::count(source.known, v) > 0; }))
        continue;
      data_->merge(sampler_->source(static_cast<int>(s), rows));
    }
  }
  const auto found = data_->find(variable);
  return found == data_->end() ? nullptr : &found->second;
}

json SampleFigures::figure_of(int variable, std::vector<float> generated) {
  const Variable& entry = session_.image.variables[static_cast<size_t>(variable)];
  const int64_t width = entry.shape.empty() ? 1 : entry.shape[0];
  const bool is_line = width > longest_row_of_points;
  json figure = {{"name", entry.name},
                 {"kind", is_line ? "lines" : "columns"},
                 {"discrete", entry.domain == "category" || entry.domain == "binary"},
                 {"labels", json::array()}};
  for (int64_t i = 0; i < width && !is_line; ++i)
    figure["labels"].push_back(entry.shape.empty() ? entry.name : fmt::format("{}[{}]", entry.name, i));
  if (!entry.words.empty()) figure["words"] = entry.words;
  const auto add = [&](const char* key, std::vector<float> values) {
    preprocessing_.undo(variable, values);
    const std::vector<float> numbers = numbers_of(entry, values, rows);
    figure[key] = is_line ? lines_of(numbers, width) : columns_of(numbers, width);
  };
  if (const std::vector<float>* data = data_of(variable)) add("data", *data);
  add("model", std::move(generated));
  return figure;
}

/// Also gives nothing if the codes come from a held-out source whose file cannot be read, because training
/// does not need that file.
std::optional<Drawn> SampleFigures::draw_values() {
  try {
    return generate(session_.image, *sampler_, variables_, {}, rows, 0);
  } catch (const Failure& failure) {
    if (failure.exit_code == Exit::missing_input || failure.exit_code == Exit::bad_data) return std::nullopt;
    throw;
  }
}

std::optional<json> SampleFigures::draw(uint64_t seed, int64_t step) {
  if (variables_.empty()) return std::nullopt;
  if (!sampler_) sampler_.emplace(session_, seed ^ figure_key);
  sampler_->set_step((static_cast<uint64_t>(step) + 1) * draws_a_step);
  const std::optional<Drawn> drawn = draw_values();
  if (!drawn) return std::nullopt;
  json figures = json::array();
  for (const int variable : variables_) figures.push_back(figure_of(variable, drawn->values.at(variable)));
  return json{{"step", step}, {"variables", figures}};
}

}  // namespace core
