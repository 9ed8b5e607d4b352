#include "runtime/core/inference/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/core/inference/conditioner.h"
#include "runtime/core/inference/drawn_rows.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;

namespace {

const Image& image_of(const Image& image, const std::string& file) {
  for (const Image::Simulator& simulator : image.simulators)
    if (simulator.file == file) return *simulator.image;
  throw Failure(Exit::internal, fmt::format("the model of {} is not compiled in", file));
}

}  // namespace

/// The run that `from` names.
static fs::path run_of(const Image& image, const schema::Reader& reader) {
  fs::path given = schema::text_argument(reader, 1, "from");
  if (fs::exists(given) || given.is_absolute()) return given;
  const std::vector<fs::path> folders = image.search_folders();
  const auto found =
      std::find_if(folders.begin(), folders.end(), [&](const fs::path& f) { return fs::exists(f / given); });
  return (found == folders.end() ? folders.back() : *found) / given;
}

struct Simulator::Parts {
  Parts(const Image& in_image, const fs::path& run, const schema::Reader& in_reader)
      : model(in_image, run, {}), reader(in_reader) {}

  TrainedModel model;
  const Image& image = model.image();
  schema::Reader reader;
  std::vector<int> variables;  // the variables that are read
  Plan plan;
  Sampler sampler{model.session(), 0};
};

Simulator::Simulator(const Image& image, const schema::Reader& reader) {
  const std::string file = schema::text_argument(reader, 0, "file");
  parts_ = std::make_unique<Parts>(image_of(image, file), run_of(image, reader), reader);
  const Image& other = parts_->image;
  std::set<std::string> names;
  for (const DataColumn& column : image.columns) collect_columns(column.expression, reader, "", names);
  for (size_t i = 0; i < other.variables.size(); ++i)
    if (names.count(other.variables[i].name) || (i == 0 && names.count("")))
      parts_->variables.push_back(static_cast<int>(i));
  parts_->plan = make_plan(other, {.targets = parts_->variables, .of_source = true});
}

Simulator::~Simulator() = default;

data::Table Simulator::draw(uint64_t seed, uint64_t step, int64_t rows) {
  Parts& parts = *parts_;
  // The draws share no random numbers with the program that asks for them.
  const uint64_t own = seed * 0x9E3779B97F4A7C15u + std::hash<std::string>()(schema::text_of(parts.reader));
  const Values drawn = draw_rows(parts.sampler, parts.image, parts.plan, Effort{}.sweeps, own, step, rows);
  data::Table table;
  table.origin = fmt::format("run(\"{}\")", schema::text_argument(parts.reader, 0, "file"));
  for (int index : parts.variables) {
    const Variable& variable = parts.image.variables[static_cast<size_t>(index)];
    TableValues values = table_values(variable, drawn.at(index), rows);
    data::Column column = data::real_column(variable.name, values.row_shape, rows, std::move(values.values));
    column.origin = table.origin;
    table.columns.push_back(std::move(column));
  }
  return table;
}

}  // namespace core
