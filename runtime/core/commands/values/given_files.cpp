#include "runtime/core/commands/values/given_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/data/expressions/arguments.h"
#include "runtime/data/expressions/evaluate.h"
#include "runtime/data/pictures/picture_files.h"
#include "runtime/data/pictures/picture_folder.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using schema::Constant;

namespace {

using Names = std::vector<std::string>;

using Options = std::map<std::string, Constant>;

schema::DataExpression reader(const char* name, Constant::List arguments, Options named = {}) {
  return schema::Reader{{std::move(arguments), std::move(named)}, name};
}

Constant list_of(const Names& names) {
  Constant::List list;
  for (const std::string& name : names) list.push_back({name});
  return {std::move(list)};
}

std::string reader_name(const data::Transformation* rule) {
  return rule && rule->can_apply() ? rule->reader().name : "";
}

/// Whether the column contains pictures, in [0, 1].
bool gives_pictures(const data::Transformation* rule) {
  static const std::set<std::string> sets = {"mnist", "fashion_mnist", "kmnist", "cifar10", "images"};
  return sets.contains(reader_name(rule)) && (rule->column().empty() || rule->column() == "image");
}

/// `x`, or `x[0]`, `x[1]`, ...: the names under which results are written.
Names own_names(const Variable& variable) {
  const Shape& shape = given_shape(variable);
  Names names;
  for (int64_t i = 0; i < data::element_count(shape, variable.name); ++i)
    names.push_back(shape.empty() ? variable.name : fmt::format("{}[{}]", variable.name, i));
  return names;
}

/// The columns from which a source's `csv` reads the variable; none if the source has another reader.
Names names_in_source(const data::Transformation* rule) {
  if (reader_name(rule) != "csv") return {};
  if (!rule->column().empty()) return {rule->column()};
  return data::Arguments("csv", rule->reader()).texts(1, "columns").value_or(Names());
}

/// A source's CSV options, for files in the same form as the source's file.
Options options_of_source(const data::Transformation* rule) {
  Options named;
  if (reader_name(rule) != "csv") return named;
  const char* places[] = {"path", "columns", "separator", "missing", "header", "comment"};
  const Constant::List& arguments = rule->reader().args;
  for (size_t i = 2; i < arguments.size() && i < std::size(places); ++i) named[places[i]] = arguments[i];
  for (const auto& [name, value] : rule->reader().named)
    if (name != "columns" && name != "path") named[name] = value;
  return named;
}

/// Whether a CSV file, read with these options, has the columns. Any failure counts as no.
bool has_columns(const std::string& path, const Names& names, const Options& named, data::Context& context) {
  try {
    const data::Value value = data::evaluate(reader("csv", {Constant{path}}, named), context);
    const std::vector<data::Column>& columns = std::get<data::Table>(value).columns;
    return std::ranges::all_of(names, [&](const std::string& name) {
      return std::ranges::any_of(columns, [&](const data::Column& column) {
        return column.name == name || column.name == "column" + name;  // in a file without a header
      });
    });
  } catch (const Failure&) {
    return false;
  }
}

data::Column read_csv_column(const std::string& path, const Variable& variable,
                             const data::Transformation* rule, data::Context& context) {
  const Names own = own_names(variable), theirs = names_in_source(rule);
  const Options options = options_of_source(rule);
  const auto read = [&](const Names& names, const Options& named) {
    return data::evaluate_column(reader("csv", {Constant{path}, list_of(names)}, named), context);
  };
  std::vector<std::pair<Names, Options>> ways = {{own, {}}};
  if (!options.empty()) ways.emplace_back(own, options);
  if (!theirs.empty()) ways.emplace_back(theirs, options);
  if (!theirs.empty() && !options.empty()) ways.emplace_back(theirs, Options());
  for (const auto& [names, named] : ways)
    if (has_columns(path, names, named, context)) return read(names, named);
  return read(own, {});
}

bool is_picture(const fs::path& path) { return !fs::is_directory(path) && data::is_picture_name(path); }

/// A picture as a column with one row, scaled to the variable.
data::Column picture_column(const fs::path& path, const Variable& variable) {
  const Shape& shape = variable.shape;
  if (shape.size() < 2)
    throw Failure(Exit::bad_data, fmt::format("{}: a picture cannot be {}, which has the shape {}",
                                              path.string(), variable.name, data::to_string(shape)));
  const bool gray = shape.size() == 2 || shape[0] == 1;
  const data::Colours colours = variable.domain == "category" ? data::Colours::indices
                                : gray                        ? data::Colours::gray
                                                              : data::Colours::rgb;
  data::Column column = data::picture_column(path, shape[shape.size() - 2], shape.back(), colours);
  column.origin = path.string();
  return column;
}

data::Column read_form(const fs::path& path, const Image& image, const Variable& variable,
                       const data::Transformation* rule) {
  if (is_picture(path)) return picture_column(path, variable);
  data::Context context{data::places_from_environment(image.search_folders())};
  const std::string ending = path.extension().string(), absolute = fs::absolute(path).string();
  if (ending == ".csv") return read_csv_column(absolute, variable, rule, context);
  const auto column = [&](const char* name, Constant::List arguments, Options named = {}) {
    return data::evaluate_column(reader(name, std::move(arguments), std::move(named)), context);
  };
  const Constant file{absolute};
  if (ending == ".npy") return column("npy", {file});
  if (ending == ".npz") return column("npz", {file, {variable.name}});
  if (ending == ".safetensors") return column("safetensors", {file, {variable.name}});
  if (fs::is_directory(path) && variable.shape.size() >= 2) {
    const Constant h{variable.shape[variable.shape.size() - 2]}, w{variable.shape.back()};
    const bool gray = variable.shape.size() == 2 || variable.shape[0] == 1;
    return column("images", {file},
                  {{"size", {Constant::List{h, w}}},
                   {"gray", {gray}},
                   {data::hidden_indices, {variable.domain == "category"}}});
  }
  return column("idx", {file});
}

}  // namespace

data::Column read_column(const fs::path& path, const Image& image, const Variable& variable,
                         const data::Transformation* rule) {
  data::Column column = read_form(path, image, variable, rule);
  if (!column.is_bytes() || variable.domain == "category") return column;
  // Two cases need other levels: a file of bytes without a scale, for a source of pictures; and a picture,
  // for a source of bytes.
  if (gives_pictures(rule) && !column.pixels && !fs::is_directory(path) &&
      column.levels == data::whole_levels() && path.extension() != ".npy" && path.extension() != ".npz" &&
      path.extension() != ".safetensors")
    column.levels = data::pixel_levels();
  if (reader_name(rule) == "idx" && column.pixels) column.levels = data::whole_levels();
  return column;
}

}  // namespace core
