// What the decoder gives for codes that change step by step. traverse changes one element of a code at a
// time; interpolate goes from the code of one row of data to the code of the next row.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/commands/code_space.h"
#include "runtime/core/commands/commands.h"
#include "runtime/core/commands/values/value_files.h"
#include "runtime/core/machine/memory_need.h"
#include "runtime/core/run/preprocessing.h"
#include "runtime/core/run/trained_model.h"
#include "runtime/schema/json_fields.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"

namespace core {
namespace {

constexpr int64_t rows_of_moments = 1000;
constexpr int64_t most_lines = 16;  // default limit of a traversal

/// The mean and the standard deviation of each element of the code, over codes that the model generates or
/// over codes of the source.
struct Moments {
  std::vector<double> mean, deviation;
};

Moments moments_of(const std::vector<float>& codes, size_t width) {
  Moments moments{std::vector<double>(width), std::vector<double>(width)};
  const size_t whole_rows = codes.size() / width;
  const auto rows = static_cast<double>(whole_rows);
  for (size_t i = 0; i < codes.size(); ++i) moments.mean[i % width] += codes[i] / rows;
  for (size_t i = 0; i < codes.size(); ++i)
    moments.deviation[i % width] += std::pow(codes[i] - moments.mean[i % width], 2) / rows;
  for (double& each : moments.deviation) each = std::sqrt(each);
  return moments;
}

/// Moves a value into the variable's domain.
float within(const Variable& variable, double value) {
  if (variable.domain == "unit") value = std::clamp(value, 0.001, 0.999);
  if (variable.domain == "positive") value = std::max(value, 1e-3);
  if (variable.domain == "count") value = std::max(0.0, std::round(value));
  return static_cast<float>(value);
}

class Grids {
 public:
  Grids(const Image& compiled, const CodeGridRequest& request)
      : request_(request),
        model_(compiled, request.run, request, request.checkpoint, request.weights),
        image_(model_.image()),
        sampler_(model_.session(), request.seed),
        preprocessing_(image_, model_.checkpoint().path),
        space_(image_, sampler_, request.code) {
    check_picture(request.out, image_, {space_.shown()});
  }

  void traverse() {
    const Variable& code = space_.variable();
    const auto width = static_cast<size_t>(code.elements());
    const int source = request_.source.empty() ? -1 : space_.find_source(request_.source);
    if (source >= 0) space_.check_row(source, request_.row);
    Values base = source < 0 ? space_.draw(1) : space_.encode(source, request_.row, 1, true);
    const std::vector<int64_t> dims = dimensions(code);
    const int64_t columns = columns_of(code);
    std::vector<std::vector<float>> lines;
    if (code.domain == "category") {
      lines = classes(code, base.at(space_.code()), dims);
    } else if (code.domain == "binary") {
      lines = bits(base.at(space_.code()), dims);
    } else {
      const Values usual =
          source < 0 ? space_.draw(rows_of_moments) : space_.encode(source, 0, rows_of_moments, false);
      const Moments moments = moments_of(usual.at(space_.code()), width);
      std::vector<float> from = base.at(space_.code());
      if (source < 0)
        for (size_t i = 0; i < width; ++i) from[i] = within(code, moments.mean[i]);
      for (const int64_t dim : dims)
        for (int64_t k = 0; k < columns; ++k) {
          std::vector<float> changed = from;
          const auto at = static_cast<size_t>(dim);
          const double share = columns > 1 ? static_cast<double>(k) / static_cast<double>(columns - 1) : 0.5;
          changed[at] =
              within(code, moments.mean[at] + request_.range * (2 * share - 1) * moments.deviation[at]);
          lines.push_back(std::move(changed));
        }
    }
    const auto rows = static_cast<int64_t>(lines.size());
    Values codes = some_rows(image_, space_.read_by_decoder(base), 1, 0, rows);
    std::vector<float>& changing = codes.at(space_.code());
    changing.clear();
    for (const std::vector<float>& line : lines) changing.insert(changing.end(), line.begin(), line.end());
    write(codes, rows, columns);
  }

  void interpolate() {
    const int source = space_.find_source(request_.source);
    space_.check_row(source, request_.row);
    const int64_t pairs = request_.rows, columns = request_.columns > 0 ? request_.columns : 8;
    require_memory(fmt::format("--rows {}", pairs), static_cast<double>(pairs * columns) * shown_bytes());
    const Values ends = space_.read_by_decoder(space_.encode(source, request_.row, 2 * pairs, true));
    Values codes;
    for (const auto& [variable, values] : ends) {
      const Variable& entry = image_.variables[static_cast<size_t>(variable)];
      const int64_t width = entry.elements();
      for (int64_t pair = 0; pair < pairs; ++pair)
        for (int64_t k = 0; k < columns; ++k) {
          const float* from = values.data() + 2 * pair * width;
          const double share = columns > 1 ? static_cast<double>(k) / static_cast<double>(columns - 1) : 0;
          append_between(codes[variable], entry, from, from + width, share);
        }
    }
    write(codes, pairs * columns, columns);
  }

 private:
  double shown_bytes() const {
    return static_cast<double>(image_.variables[static_cast<size_t>(space_.shown())].elements()) *
           sizeof(float);
  }

  /// Numbers change evenly, bits flip one after the other, and a class changes in the middle.
  static void append_between(std::vector<float>& codes, const Variable& variable, const float* from,
                             const float* to, double share) {
    const int64_t width = variable.elements();
    const auto different =
        std::count_if(from, from + width, [&, i = 0](float value) mutable { return value != to[i++]; });
    int64_t changed = 0;
    for (int64_t i = 0; i < width; ++i) {
      if (is_continuous(variable) || variable.domain == "count") {
        codes.push_back(within(variable, (1 - share) * from[i] + share * to[i]));
      } else if (variable.domain == "category") {
        codes.push_back(share < 0.5 ? from[i] : to[i]);
      } else {
        const bool flips = from[i] != to[i];
        const double place =
            (static_cast<double>(changed) + 0.5) / std::max<double>(1, static_cast<double>(different));
        codes.push_back(flips && share >= place ? to[i] : from[i]);
        changed += flips;
      }
    }
  }

  /// The elements of the code that are changed; for a category, its positions.
  std::vector<int64_t> dimensions(const Variable& code) const {
    const int64_t count = code.domain == "category" ? code.elements() / code.classes : code.elements();
    std::vector<int64_t> dims = request_.dims;
    if (dims.empty())
      for (int64_t i = 0; i < std::min(count, most_lines); ++i) dims.push_back(i);
    for (const int64_t dim : dims)
      if (dim < 0 || dim >= count)
        throw Failure(Exit::usage,
                      fmt::format("--dims {}: {} has the elements 0 to {}", dim, code.name, count - 1));
    return dims;
  }

  int64_t columns_of(const Variable& code) const {
    const int64_t fixed = code.domain == "category" ? code.classes : code.domain == "binary" ? 2 : 0;
    if (fixed > 0 && request_.columns > 0 && request_.columns != fixed)
      throw Failure(Exit::usage,
                    fmt::format("--columns {}: {} has {} values", request_.columns, code.name, fixed));
    return fixed > 0 ? fixed : request_.columns > 0 ? request_.columns : 9;
  }

  /// Each class in turn. The class axis is first.
  static std::vector<std::vector<float>> classes(const Variable& code, const std::vector<float>& base,
                                                 const std::vector<int64_t>& dims) {
    const int64_t positions = code.elements() / code.classes;
    std::vector<std::vector<float>> lines;
    for (const int64_t dim : dims)
      for (int64_t k = 0; k < code.classes; ++k) {
        std::vector<float> changed = base;
        for (int64_t other = 0; other < code.classes; ++other)
          changed[static_cast<size_t>(other * positions + dim)] = other == k ? 1.F : 0.F;
        lines.push_back(std::move(changed));
      }
    return lines;
  }

  static std::vector<std::vector<float>> bits(const std::vector<float>& base,
                                              const std::vector<int64_t>& dims) {
    std::vector<std::vector<float>> lines;
    for (const int64_t dim : dims)
      for (const float value : {0.F, 1.F}) {
        std::vector<float> changed = base;
        changed[static_cast<size_t>(dim)] = value;
        lines.push_back(std::move(changed));
      }
    return lines;
  }

  void write(const Values& codes, int64_t rows, int64_t columns) {
    std::vector<float> values = space_.decode(codes, rows);
    const bool picture = request_.out.extension() == ".png";
    picture ? preprocessing_.undo_for_picture(space_.shown(), values)
            : preprocessing_.undo(space_.shown(), values);
    const Variable& shown = image_.variables[static_cast<size_t>(space_.shown())];
    write_results(request_.out, {{shown.name, &shown, std::move(values)}}, rows, columns);
    const int64_t step = model_.checkpoint().step;
    if (request_.json)
      fmt::print("{}\n", schema::json_text({{"file", request_.out.string()},
                                            {"code", space_.variable().name},
                                            {"of", shown.name},
                                            {"rows", rows},
                                            {"columns", columns},
                                            {"step", step}}));
    else
      fmt::print("{}\n",
                 printable(fmt::format("{} of {} of {} from {} of step {} in {}",
                                       counted(rows / columns, "row"), counted(columns, "value"), shown.name,
                                       space_.variable().name, step, request_.out.string())));
  }

  const CodeGridRequest& request_;
  TrainedModel model_;
  const Image& image_;
  Sampler sampler_;
  Preprocessing preprocessing_;
  CodeSpace space_;
};

}  // namespace

void traverse(const Image& image, const CodeGridRequest& request) {
  check_ending(request.out);
  Grids(image, request).traverse();
}

void interpolate(const Image& image, const CodeGridRequest& request) {
  check_ending(request.out);
  Grids(image, request).interpolate();
}

}  // namespace core
