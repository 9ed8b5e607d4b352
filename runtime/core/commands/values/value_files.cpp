#include "runtime/core/commands/values/value_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/run/sample_grid.h"
#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/arrays/npy.h"
#include "runtime/data/arrays/npz.h"
#include "runtime/data/arrays/safetensors.h"
#include "runtime/data/pictures/png.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;

namespace {

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

/// Whether the variable is a plane of classes. A picture shows it in grays, from black (the first class) to
/// white (the last).
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

/// A class as the text of a cell: its word or its number.
std::string class_text(const Variable& variable, int64_t k) {
  if (variable.words.empty()) return fmt::to_string(k);
  return csv_cell(variable.words[static_cast<size_t>(k)]);
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

}  // namespace

std::string csv_cell(const std::string& text) {
  const bool plain = text.empty() || (text.find_first_of(",\"\r\n") == text.npos && text.front() != ' ' &&
                                      text.back() != ' ');
  if (plain) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + '"';
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

void write_results(const fs::path& path, const std::vector<Result>& results, int64_t rows, int64_t columns) {
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
  const auto square = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(rows))));
  const int64_t across = columns > 0 ? std::min(columns, rows) : square;
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
