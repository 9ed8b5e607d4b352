#include "runtime/core/run/preprocessing.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/run/run_directory.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/cells/words.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* file_name = "preprocessing.json";

/// The data expression by which the source gives the variable, without noise; null if the source does not
/// observe the variable.
const schema::DataExpression* data_of(const Image& image, int source, int variable) {
  const Source& declared = image.sources[static_cast<size_t>(source)];
  for (const DataColumn& column : image.columns)
    if (column.variable == variable && column.noiseless_source == declared.name) return &column.expression;
  if (declared.program < 0) return nullptr;
  for (const Instruction& instruction : image.programs[static_cast<size_t>(declared.program)].instructions) {
    const auto* gather = std::get_if<Gather>(&instruction);
    if (!gather || gather->source != source) continue;
    const DataColumn& column = image.columns[static_cast<size_t>(gather->column)];
    if (column.variable == variable) return &column.expression;
  }
  return nullptr;
}

json read_file(const fs::path& checkpoint) {
  const fs::path file = checkpoint / file_name;
  if (!fs::exists(file)) return json::object();
  json text = read_json(file);
  const bool good = text.is_object() && text.value("sources", json()).is_array() &&
                    text.value("statistics", json()).is_array();
  if (!good)
    throw Failure(Exit::bad_data, fmt::format("{}: it has no `sources` and `statistics`", file.string()));
  return text;
}

/// `expression`: how a source gives the variable.
data::Transformation transformation_of(const Image& image, schema::DataExpression expression, int variable) {
  const Variable& declared = image.variables[static_cast<size_t>(variable)];
  if (data::needs_statistics(expression)) {
    data::Context context{data::places_from_environment(image.search_folders())};
    data::KeptStatistics found;
    data::find_statistics(expression, context, found);
    data::put_statistics(expression, found);
  }
  return {expression, given_shape(declared)};
}

}  // namespace

PreparedImage::PreparedImage(const Image& image, const data::KeptStatistics& statistics) : image_(image) {
  if (statistics.empty()) return;
  copy_ = image;
  for (DataColumn& column : copy_->columns) data::put_statistics(column.expression, statistics);
}

data::KeptStatistics find_statistics(const Image& image, const std::vector<std::string>& sources,
                                     data::KeptStatistics kept) {
  data::Context context{data::places_from_environment(image.search_folders())};
  for (const std::string& name : sources)
    for (size_t v = 0; v < image.variables.size(); ++v) {
      const schema::DataExpression* expression = data_of(image, image.source(name), static_cast<int>(v));
      if (expression && data::needs_statistics(*expression) && !schema::find_reader(*expression, "run"))
        data::find_statistics(*expression, context, kept);
    }
  return kept;
}

void save_preprocessing(const fs::path& folder, const Image& image, const std::vector<std::string>& sources,
                        const Rows::Words& words) {
  data::KeptStatistics kept;
  for (const DataColumn& column : image.columns) data::collect_statistics(column.expression, kept);
  json list = json::array();
  for (const auto& [table, columns] : kept)
    list.push_back({{"table", table}, {"columns", schema::write(columns)}});
  json classes = json::object();
  for (const Variable& variable : image.variables)
    if (!variable.words.empty()) classes[variable.name] = variable.words;
  for (const auto& [variable, found] : words) classes[image.name_of(variable)] = found;
  const std::string text = json{{"sources", sources}, {"statistics", list}, {"words", classes}}.dump() + "\n";
  data::write_file(folder / file_name, {text.begin(), text.end()});
}

data::KeptStatistics read_statistics(const fs::path& checkpoint) {
  const fs::path file = checkpoint / file_name;
  const json text = read_file(checkpoint);
  data::KeptStatistics kept;
  for (const json& item : text.value("statistics", json::array())) {
    if (!item.is_object() || !item.value("table", json()).is_string() || !item.contains("columns"))
      throw Failure(Exit::bad_data, fmt::format("{}: an entry has no `table` and `columns`", file.string()));
    kept[item.at("table")] = data::statistics_from(item.at("columns"), file.string());
  }
  return kept;
}

Rows::Words read_words(const fs::path& checkpoint, const Image& image) {
  const fs::path file = checkpoint / file_name;
  const json text = read_file(checkpoint).value("words", json::object());
  Rows::Words kept;
  for (size_t v = 0; v < image.variables.size(); ++v) {
    const Variable& variable = image.variables[v];
    const json found = text.is_object() ? text.value(variable.name, json::array()) : json();
    if (!found.is_array() || !std::ranges::all_of(found, [](const json& word) { return word.is_string(); }))
      throw Failure(Exit::bad_data, fmt::format("{}: `words` has no lists of words", file.string()));
    if (found.empty()) continue;
    const auto words = found.get<std::vector<std::string>>();
    if (!variable.words.empty() && variable.words != words)
      throw Failure(Exit::bad_data,
                    fmt::format("{}: {} is category({}) in this program, but the run was trained with "
                                "category({})",
                                file.string(), variable.name, data::listed_words(variable.words),
                                data::listed_words(words)));
    if (variable.words.empty()) kept[static_cast<int>(v)] = words;
  }
  return kept;
}

Preprocessing::Preprocessing(const Image& image, const std::vector<std::string>& learned) : image_(image) {
  for (const std::string& name : learned) learned_.insert(image.source(name));
}

Preprocessing::Preprocessing(const Image& image, const fs::path& checkpoint)
    : image_(image), words_(read_words(checkpoint, image)) {
  const json names = read_file(checkpoint).value("sources", json());
  for (size_t s = 0; s < image.sources.size(); ++s) {
    const bool learned = names.is_array() ? std::ranges::count(names, json(image.sources[s].name)) > 0
                                          : image.sources[s].weight > 0;
    if (learned) learned_.insert(static_cast<int>(s));
  }
}

std::vector<std::string> Preprocessing::words(int variable) const {
  const auto found = words_.find(variable);
  return found == words_.end() ? std::vector<std::string>() : found->second;
}

const Preprocessing::Rule* Preprocessing::rule(int variable) {
  const auto known = rules_.find(variable);
  if (known != rules_.end()) return known->second.get();
  std::vector<int> learned, others;
  for (size_t s = 0; s < image_.sources.size(); ++s) {
    const auto source = static_cast<int>(s);
    if (data_of(image_, source, variable)) (learned_.contains(source) ? learned : others).push_back(source);
  }
  const std::vector<int>& giving = learned.empty() ? others : learned;
  if (giving.empty()) return (rules_[variable] = nullptr).get();
  const auto transformation = [&](int source) {
    return transformation_of(image_, *data_of(image_, source, variable), variable);
  };
  Rule rule{giving.front(), {}, transformation(giving.front())};
  for (const int other : learned)
    if (!transformation(other).agrees_with(rule.transformation)) rule.different.push_back(other);
  return (rules_[variable] = std::make_unique<const Rule>(std::move(rule))).get();
}

const data::Transformation* Preprocessing::undoable(int variable) {
  if (image_.variables[static_cast<size_t>(variable)].domain == "category") return nullptr;
  const Rule* found = rule(variable);
  return found && found->transformation.can_undo() ? &found->transformation : nullptr;
}

void Preprocessing::undo(int variable, std::vector<float>& values) {
  if (const data::Transformation* transformation = undoable(variable)) transformation->undo(values);
}

void Preprocessing::undo_for_picture(int variable, std::vector<float>& values) {
  if (const data::Transformation* transformation = undoable(variable))
    transformation->undo_for_picture(values);
}

}  // namespace core
