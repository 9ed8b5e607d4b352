#include "runtime/core/commands/value_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/core/query.h"
#include "runtime/core/sample_grid.h"
#include "runtime/data/arguments.h"
#include "runtime/data/byte_source.h"
#include "runtime/data/notes.h"
#include "runtime/data/npy.h"
#include "runtime/data/npz.h"
#include "runtime/data/picture_files.h"
#include "runtime/data/picture_folder.h"
#include "runtime/data/png.h"
#include "runtime/data/safetensors.h"
#include "runtime/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// The data expression that reads a file.
json reader_of(const fs::path& path, const Variable& variable) {
  const std::string ending = path.extension().string(), absolute = fs::absolute(path).string();
  const auto reader = [](const char* name, json arguments, json named = json::object()) {
    return json{
        {"op", "reader"}, {"name", name}, {"args", std::move(arguments)}, {"named", std::move(named)}};
  };
  if (ending == ".npy") return reader("npy", {absolute});
  if (ending == ".npz") return reader("npz", {absolute, variable.name});
  if (ending == ".csv") {
    const data::Shape& shape = variable.shape;
    std::vector<std::string> columns;
    for (int64_t i = 0; i < data::element_count(shape, variable.name); ++i)
      columns.push_back(shape.empty() ? variable.name : fmt::format("{}[{}]", variable.name, i));
    return reader("csv", {absolute, columns});
  }
  if (ending == ".safetensors") return reader("safetensors", {absolute, variable.name});
  if (fs::is_directory(path) && variable.shape.size() >= 2) {
    const int64_t w = variable.shape.back(), h = variable.shape[variable.shape.size() - 2];
    return reader("images", {absolute},
                  {{"size", {h, w}},
                   {"gray", variable.shape.size() == 2 || variable.shape[0] == 1},
                   {data::hidden_indices, variable.domain == "category"}});
  }
  return reader("idx", {absolute});
}

bool is_picture(const fs::path& path) { return !fs::is_directory(path) && data::is_picture_name(path); }

/// One picture as a column of one row, scaled to the variable.
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

struct FileValues {
  std::vector<float> values, known;  // `known`: 0 where a value is missing; empty where none is
  int64_t rows = 0;
};

/// A value of the domain in the place of each missing one; which are known, as floats of the variable's
/// tensor.
std::vector<float> fill_missing(data::Column& column, const Variable& variable) {
  if (column.is_bytes() || column.is_streamed()) return {};
  const bool simplex = variable.domain == "simplex";
  const int64_t positions = data::element_count(variable.shape, variable.name);
  const int64_t classes = variable.elements() / positions, width = positions * (simplex ? classes : 1);
  const float* numbers = column.real_data();
  const int64_t count = column.rows * width;
  if (column.row_elements() != width ||
      std::none_of(numbers, numbers + count, [](float number) { return std::isnan(number); }))
    return {};
  const double filler = variable.domain == "positive" ? 1
                        : variable.domain == "unit"   ? 0.5
                        : simplex                     ? 1 / static_cast<double>(classes)
                                                      : 0;
  std::vector<float> filled(numbers, numbers + count);
  std::vector<float> known(static_cast<size_t>(column.rows * variable.elements()), 1);
  for (int64_t row = 0; row < column.rows; ++row)
    for (int64_t position = 0; position < positions; ++position) {
      bool missing = false;  // of a simplex all parts, where one is
      for (int64_t at = position; at < width; at += positions)
        missing |= std::isnan(numbers[row * width + at]);
      if (!missing) continue;
      for (int64_t at = position; at < width; at += positions)
        filled[static_cast<size_t>(row * width + at)] = static_cast<float>(filler);
      for (int64_t k = 0; k < classes; ++k)
        known[static_cast<size_t>((row * classes + k) * positions + position)] = 0;
    }
  data::Column complete = data::real_column(column.name, column.row_shape, column.rows, std::move(filled));
  complete.origin = column.origin;
  column = std::move(complete);
  return known;
}

FileValues read_file_values(const Image& image, const fs::path& path, const Variable& variable) {
  if (!fs::exists(path))
    throw Failure(Exit::missing_input,
                  fmt::format("there is no file or source {} for {}", path.string(), variable.name));
  const data::VariableSpec spec = {variable.name, variable.domain, variable.classes, variable.shape,
                                   variable.words};
  data::Context context{data::places_from_environment(image.folder)};
  data::Column column = is_picture(path) ? picture_column(path, variable)
                                         : data::evaluate_column(reader_of(path, variable), context);
  FileValues read;
  read.known = fill_missing(column, variable);
  const data::Population population(column, spec);
  read.rows = population.rows();
  std::vector<int64_t> all(static_cast<size_t>(read.rows));
  for (int64_t r = 0; r < read.rows; ++r) all[static_cast<size_t>(r)] = r;
  read.values.resize(static_cast<size_t>(read.rows * population.row_size()));
  population.gather(all.data(), read.rows, read.values.data());
  return read;
}

data::Shape with_rows(int64_t rows, const Shape& shape) {
  data::Shape all = {rows};
  all.insert(all.end(), shape.begin(), shape.end());
  return all;
}

data::Shape shape_of(const Result& result, int64_t rows) {
  data::Shape shape = with_rows(rows, result.variable->tensor_shape);
  if (result.draws > 0) shape.insert(shape.begin() + 1, result.draws);
  return shape;
}

/// The class of the greatest value at each position; the class axis is first.
std::vector<int64_t> most_probable(const float* values, const Variable& variable) {
  const int64_t positions = variable.elements() / variable.classes;
  std::vector<int64_t> best(static_cast<size_t>(positions));
  for (int64_t k = 1; k < variable.classes; ++k)
    for (int64_t i = 0; i < positions; ++i) {
      int64_t& so_far = best[static_cast<size_t>(i)];
      if (values[k * positions + i] > values[so_far * positions + i]) so_far = k;
    }
  return best;
}

/// A plane of classes, which a picture shows as grays from black, the first, to white, the last.
bool is_class_plane(const Variable& variable) {
  return variable.domain == "category" && variable.shape.size() == 2 && variable.classes > 1;
}

std::vector<float> grays(const Result& result, int64_t rows) {
  const Variable& variable = *result.variable;
  std::vector<float> pixels;
  for (int64_t row = 0; row < rows; ++row)
    for (const int64_t k : most_probable(result.values.data() + row * variable.elements(), variable))
      pixels.push_back(static_cast<float>(k) / static_cast<float>(variable.classes - 1));
  return pixels;
}

/// A class as a cell: its word, quoted where it needs to be, or its number.
std::string class_text(const Variable& variable, int64_t k) {
  if (variable.words.empty()) return fmt::to_string(k);
  const std::string& word = variable.words[static_cast<size_t>(k)];
  const bool plain = word.find_first_of(",\"\r\n") == word.npos && word.front() != ' ' && word.back() != ' ';
  if (plain) return word;
  std::string quoted = "\"";
  for (const char letter : word) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + '"';
}

std::string csv_of(const std::vector<Result>& results, int64_t rows) {
  const auto is_class = [](const Result& result) { return result.variable->domain == "category"; };
  std::vector<std::string> header;
  for (const Result& result : results) {
    const Shape& shape = is_class(result) ? result.variable->shape : result.variable->tensor_shape;
    const int64_t width = data::element_count(shape, result.name);
    if (shape.empty())
      header.push_back(result.name);
    else
      for (int64_t i = 0; i < width; ++i) header.push_back(fmt::format("{}[{}]", result.name, i));
  }
  std::string text = fmt::format("{}\n", fmt::join(header, ","));
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<std::string> cells;
    for (const Result& result : results) {
      const int64_t width = result.variable->elements();
      const float* values = result.values.data() + row * width;
      if (is_class(result))
        for (const int64_t k : most_probable(values, *result.variable))
          cells.push_back(class_text(*result.variable, k));
      else
        for (int64_t i = 0; i < width; ++i) cells.push_back(fmt::format("{}", values[i]));
    }
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

constexpr int64_t drawn_rows = 64;  // of a source without data, where nothing else says how many

}  // namespace

namespace {

/// The operations by which an expression computes values from what readers give.
void find_operations(const json& data, std::set<std::string>& operations) {
  static const std::set<std::string> choosing = {"",        "reader",    "column",  "rows",    "where",
                                                 "shuffle", "per_class", "without", "windows", "number"};
  if (!data.is_structured()) return;
  if (data.is_object()) {
    const std::string op = data.value("op", "");
    if (op == "reader" || op == "number") return;
    // `where(table, condition)` chooses rows, and so may other tables; `where(condition, a, b)` computes.
    if (choosing.contains(op) && data.contains("table")) return find_operations(data.at("table"), operations);
    if (!op.empty()) operations.insert(op);
  }
  for (const json& part : data) find_operations(part, operations);
}

/// A file's values are taken as they are: said where the sources compute theirs.
void warn_of_raw_values(const Image& image, int variable, const std::string& text) {
  std::set<std::string> operations;
  bool computed = false;
  const Variable& given = image.variables[static_cast<size_t>(variable)];
  for (const DataColumn& column : image.columns) {
    if (column.variable != variable) continue;
    find_operations(column.expression, operations);
    computed |= column.domain != given.domain;
  }
  if (operations.empty() && !computed) return;
  data::warn_once(fmt::format(
      "--given {}: the values are taken as they are, but the sources compute {} from theirs{}; the file must "
      "hold values that are computed in the same way",
      text, given.name, operations.empty() ? "" : fmt::format(" ({})", fmt::join(operations, ", "))));
}

}  // namespace

Given read_given(const Image& image, Sampler& sampler, const std::vector<std::string>& texts) {
  Given given;
  for (const std::string& text : texts) {
    const int variable = variable_of_flag(image, "--given", text, "FILE");
    const size_t equals = text.find('=');
    const std::string value = text.substr(equals + 1);
    const int source = fs::exists(value) ? -1 : image.source(value);
    int64_t rows = 0;
    if (source >= 0) {
      rows = sampler.source_rows(source);
      // A source that only draws has no rows of its own: as many as were given before.
      if (rows == 0) rows = given.rows ? given.rows : drawn_rows;
      Values known = sampler.source(source, rows, 0);
      if (!known.count(variable))
        throw Failure(Exit::usage,
                      fmt::format("--given {}: the source does not give {}", text, text.substr(0, equals)));
      given.values[variable] = std::move(known[variable]);
    } else {
      FileValues read = read_file_values(image, value, image.variables[static_cast<size_t>(variable)]);
      warn_of_raw_values(image, variable, text);
      given.values[variable] = std::move(read.values);
      if (!read.known.empty()) given.masks[variable] = std::move(read.known);
      rows = read.rows;
    }
    if (given.rows && rows != given.rows)
      throw Failure(Exit::bad_data, fmt::format("--given {}: it has {} rows, what was given before has {}",
                                                text, rows, given.rows));
    given.rows = rows;
  }
  return given;
}

Values read_masks(const Image& image, const std::vector<std::string>& texts, int64_t rows) {
  Values masks;
  for (const std::string& text : texts) {
    const int index = variable_of_flag(image, "--mask", text, "FILE");
    const Variable& variable = image.variables[static_cast<size_t>(index)];
    const Variable mask = {variable.name, "binary", 0, variable.shape, variable.shape};
    const FileValues read = read_file_values(image, text.substr(text.find('=') + 1), mask);
    if (!read.known.empty())
      throw Failure(Exit::bad_data, fmt::format("--mask {}: values are missing in the mask itself", text));
    if (read.rows != rows && read.rows != 1)
      throw Failure(Exit::bad_data,
                    fmt::format("--mask {}: it has {} rows, what is given has {}", text, read.rows, rows));
    // Every class of a position is known where the position is.
    const int64_t positions = mask.elements(), classes = variable.elements() / positions;
    std::vector<float>& all = masks[index];
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t k = 0; k < classes; ++k) {
        const auto begin = read.values.begin() + (read.rows == 1 ? 0 : row) * positions;
        all.insert(all.end(), begin, begin + positions);
      }
  }
  return masks;
}

Values some_rows(const Image& image, const Values& values, int64_t all_rows, int64_t first, int64_t rows) {
  Values some;
  for (const auto& [variable, numbers] : values) {
    const int64_t width = image.variables[static_cast<size_t>(variable)].elements();
    std::vector<float>& taken = some[variable];
    for (int64_t r = 0; r < rows; ++r) {
      const auto begin = numbers.begin() + (first + r) % all_rows * width;
      taken.insert(taken.end(), begin, begin + width);
    }
  }
  return some;
}

bool holds_several(const fs::path& path) {
  return path.extension() == ".npz" || path.extension() == ".safetensors";
}

void check_ending(const fs::path& path) {
  const std::string ending = path.extension().string();
  for (const char* known : {".png", ".npy", ".npz", ".csv", ".safetensors"})
    if (ending == known) return;
  throw Failure(
      Exit::usage,
      fmt::format("--out {}: the file must end in .png, .npy, .npz, .csv or .safetensors", path.string()));
}

void check_picture(const fs::path& path, const Image& image, const std::vector<int>& variables) {
  if (path.extension() != ".png") return;
  for (const int variable : variables)
    if (is_image(image.variables[static_cast<size_t>(variable)]) ||
        is_class_plane(image.variables[static_cast<size_t>(variable)]))
      return;
  throw Failure(Exit::usage, fmt::format("--out {}: none of the results is an image", path.string()));
}

void write_results(const fs::path& path, const std::vector<Result>& results, int64_t rows) {
  const std::string ending = path.extension().string();
  if (ending == ".npy")
    return data::write_npy(path, with_rows(rows, results.front().variable->tensor_shape),
                           results.front().values.data());
  if (ending == ".npz") {
    std::vector<std::pair<std::string, std::vector<uint8_t>>> arrays;
    for (const Result& result : results)
      arrays.emplace_back(result.name, data::npy_bytes(shape_of(result, rows), result.values.data()));
    return data::write_npz(path, arrays);
  }
  if (ending == ".csv") {
    const std::string text = csv_of(results, rows);
    return data::write_file(path, {text.begin(), text.end()});
  }
  if (ending == ".safetensors") {
    data::Tensors tensors;
    for (const Result& result : results) tensors[result.name] = {shape_of(result, rows), result.values};
    return data::write_safetensors(path, tensors);
  }
  const auto across = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(rows))));
  for (const Result& result : results) {
    const data::Shape shape = with_rows(rows, result.variable->shape);
    if (is_image(*result.variable))
      return data::write_png(path, data::grid(result.values.data(), shape, across));
    if (is_class_plane(*result.variable))
      return data::write_png(path, data::grid(grays(result, rows).data(), shape, across));
  }
  throw Failure(Exit::internal, fmt::format("{}: none of the results is an image", path.string()));
}

}  // namespace core
