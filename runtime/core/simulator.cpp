#include "runtime/core/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/core/conditioner.h"
#include "runtime/core/trained_model.h"
#include "runtime/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// By place or by name.
std::string argument(const json& reader, size_t place, const char* name) {
  return reader.at("args").size() > place ? reader["args"][place] : reader.at("named").at(name);
}

/// The columns that an expression asks of the reader; "" for its first.
void collect_columns(const json& expression, const json& reader, const std::string& column,
                     std::set<std::string>& names) {
  if (!expression.is_structured()) return;
  if (expression == reader) {
    names.insert(column);
    return;
  }
  const bool names_one = expression.is_object() && expression.value("op", "") == "column";
  for (const json& part : expression)
    collect_columns(part, reader, names_one ? expression.at("name").get<std::string>() : "", names);
}

/// One-hot, class axis first, to class indices: [rows, K, n] to [rows, n].
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

const Image& image_of(const Image& image, const std::string& file) {
  for (const Image::Simulator& simulator : image.simulators)
    if (simulator.file == file) return *simulator.image;
  throw Failure(Exit::internal, fmt::format("the model of {} is not compiled in", file));
}

constexpr uint64_t runs_of_a_draw = uint64_t{1} << 20;  // steps of the sampler that a draw may take

}  // namespace

const json* find_run(const json& expression) {
  if (!expression.is_structured()) return nullptr;
  if (expression.is_object() && expression.value("op", "") == "reader")
    return expression.value("name", "") == "run" ? &expression : nullptr;
  for (const json& part : expression)
    if (const json* found = find_run(part)) return found;
  return nullptr;
}

/// The run that `from` names.
static fs::path run_of(const Image& image, const json& reader) {
  const fs::path given = argument(reader, 1, "from");
  if (fs::exists(given) || given.is_absolute()) return given;
  const std::vector<fs::path> folders = image.search_folders();
  const auto found =
      std::find_if(folders.begin(), folders.end(), [&](const fs::path& f) { return fs::exists(f / given); });
  return (found == folders.end() ? folders.back() : *found) / given;
}

struct Simulator::Parts {
  Parts(const Image& of, const fs::path& run, const json& in_reader)
      : model(of, run, {}), reader(in_reader) {}

  TrainedModel model;
  const Image& image = model.image();
  json reader;
  std::vector<int> variables;  // that are asked for
  Plan plan;
  Sampler sampler{model.session(), 0};
};

Simulator::Simulator(const Image& image, const json& reader) {
  const std::string file = argument(reader, 0, "file");
  parts_ = std::make_unique<Parts>(image_of(image, file), run_of(image, reader), reader);
  const Image& other = parts_->image;
  std::set<std::string> names;
  for (const DataColumn& column : image.columns) collect_columns(column.expression, reader, "", names);
  for (size_t i = 0; i < other.variables.size(); ++i)
    if (names.count(other.variables[i].name) || (i == 0 && names.count("")))
      parts_->variables.push_back(static_cast<int>(i));
  parts_->plan = make_plan(other, {parts_->variables, {}, {}, {}});
}

Simulator::~Simulator() = default;

data::Table Simulator::draw(uint64_t seed, uint64_t step, int64_t rows) {
  Parts& parts = *parts_;
  // Its draws share no random numbers with those of the program that asks for them.
  const uint64_t own = seed * 0x9E3779B97F4A7C15u + std::hash<std::string>()(parts.reader.dump());
  parts.sampler.set_seed(own);
  parts.sampler.set_step(step * runs_of_a_draw);
  Conditioner conditioner(parts.sampler, parts.image, parts.plan, Effort{}, own + step);
  const Values drawn = conditioner.draw({}, rows);
  data::Table table;
  table.origin = fmt::format("run(\"{}\")", argument(parts.reader, 0, "file"));
  for (int index : parts.variables) {
    const Variable& variable = parts.image.variables[static_cast<size_t>(index)];
    const bool category = variable.domain == "category";
    const std::vector<float>& values = drawn.at(index);
    data::Column column =
        data::real_column(variable.name, category ? variable.shape : variable.tensor_shape, rows,
                          category ? classes_of(values, rows, variable.classes) : values);
    column.origin = table.origin;
    table.columns.push_back(std::move(column));
  }
  return table;
}

}  // namespace core
