#include "runtime/core/commands/values/given_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "runtime/core/commands/values/given_files.h"
#include "runtime/core/inference/query.h"
#include "runtime/data/expressions/elementwise.h"
#include "runtime/data/population.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct ReadValues {
  std::vector<float> values, known;  // `known`: 0 where a value is missing; empty if no value is missing
  int64_t rows = 0;
};

/// Converts bytes into real numbers, because a missing value in them cannot be replaced.
data::Column as_reals(const data::Column& column) {
  std::vector<float> values;
  data::scan(column, [&](int64_t, int64_t rows, const float* from) {
    values.insert(values.end(), from, from + rows * column.row_elements());
  });
  data::Column result = data::real_column(column.name, column.row_shape, column.rows, std::move(values));
  result.origin = column.origin;
  return result;
}

/// Puts a value of the domain in the place of each missing value. Returns which values are known, as floats
/// of the variable's tensor; empty if none is missing.
std::vector<float> fill_missing(data::Column& column, const Variable& variable) {
  if (column.is_bytes() && std::ranges::any_of(*column.levels, [](float level) { return std::isnan(level); }))
    column = as_reals(column);
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
      bool missing = false;  // for a simplex, all parts count as missing if one is
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

/// Whether the rows are a category as `sample` and `infer` write it to arrays: a number for each class.
bool has_class_axis(const data::Column& column, const Variable& variable) {
  return variable.domain == "category" && column.row_shape == variable.tensor_shape &&
         !data::stretch_rows(column, variable.shape);
}

/// The classes of rows in which a 1 marks the class and all others are 0. Failure(bad_data) if a row is not
/// of this form. A class is missing where all its numbers are.
data::Column marked_classes(const data::Column& column, const Variable& variable, const std::string& text) {
  const int64_t positions = data::element_count(variable.shape, variable.name);
  const int64_t classes = variable.elements() / positions;
  std::vector<float> values;
  data::scan(column, [&](int64_t first, int64_t rows, const float* marks) {
    for (int64_t row = 0; row < rows; ++row, marks += variable.elements())
      for (int64_t position = 0; position < positions; ++position) {
        int64_t ones = 0, zeros = 0, missing = 0, found = 0;
        for (int64_t k = 0; k < classes; ++k) {
          const float mark = marks[k * positions + position];
          if (mark == 1) ++ones, found = k;
          zeros += mark == 0;
          missing += std::isnan(mark);
        }
        if (missing != classes && (ones != 1 || zeros != classes - 1))
          throw Failure(
              Exit::bad_data,
              fmt::format("--given {}: row {} of {} has a number for each class of {}, of which one "
                          "must be 1 and all others 0",
                          text, first + row, column.label(), variable.name));
        values.push_back(missing > 0 ? NAN : static_cast<float>(found));
      }
  });
  data::Column result = data::real_column(column.name, variable.shape, column.rows, std::move(values));
  result.origin = column.origin;
  return result;
}

data::VariableSpec spec_of(const Variable& variable) {
  return {variable.name, variable.domain, variable.classes, variable.shape, variable.words};
}

/// `words`: those in the data from which a variable that names none was learned.
ReadValues values_of(data::Column column, const Variable& variable,
                     const std::vector<std::string>& words = {}) {
  ReadValues read;
  read.known = fill_missing(column, variable);
  data::VariableSpec spec = spec_of(variable);
  if (spec.words.empty() && column.words) spec.words = words;
  const data::Population population(column, spec);
  read.rows = population.rows();
  std::vector<int64_t> all(static_cast<size_t>(read.rows));
  for (int64_t r = 0; r < read.rows; ++r) all[static_cast<size_t>(r)] = r;
  read.values.resize(static_cast<size_t>(read.rows * population.row_size()));
  population.gather(all.data(), read.rows, read.values.data());
  return read;
}

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

/// Also false if the text cannot be the name of a file: it may be a long list of numbers.
bool is_file(const std::string& text) {
  std::error_code ignored;
  return fs::exists(text, ignored);
}

/// The text, or its beginning if it is too long for a message.
std::string shown(const std::string& text) {
  constexpr size_t longest = 80;
  return text.size() > longest ? text.substr(0, longest) + "..." : text;
}

constexpr size_t deepest = 64;  // how deeply lists may be nested; variables have far fewer axes

/// Reads a list of numbers, or of lists of equal length, as the values of one row. False if the text is no
/// such list.
bool flatten(const json& list, size_t depth, Shape& shape, std::vector<float>& numbers) {
  if (list.is_number()) {
    numbers.push_back(list.get<float>());
    return depth == shape.size();
  }
  if (!list.is_array() || list.empty() || depth >= deepest) return false;
  if (depth == shape.size() && numbers.empty()) shape.push_back(static_cast<int64_t>(list.size()));
  if (depth >= shape.size() || shape[depth] != static_cast<int64_t>(list.size())) return false;
  return std::ranges::all_of(list,
                             [&](const json& part) { return flatten(part, depth + 1, shape, numbers); });
}

/// Reads `7`, `[0.5, 2]`, or a word of a variable that has words. Nothing if the text is none of these.
std::optional<data::Column> written_column(const std::string& text, const Variable& variable) {
  const auto word = std::ranges::find(variable.words, text);
  if (word != variable.words.end()) {
    data::Column column = data::real_column("values", {}, 1, {0});
    column.words = std::make_shared<const std::vector<std::string>>(1, text);
    column.no_number = fmt::format("\"{}\" is no number", text);
    column.origin = text;
    return column;
  }
  data::Column column;
  if (const std::optional<double> number = number_in(text)) {
    column = data::real_column("values", {}, 1, {static_cast<float>(*number)});
  } else {
    Shape shape;
    std::vector<float> numbers;
    if (!text.starts_with('[')) return {};
    const json list = json::parse(text, nullptr, false);
    if (!list.is_array() || !flatten(list, 0, shape, numbers))
      throw Failure(Exit::usage, fmt::format("--given {}={}: a value is a number, or a list of numbers or of "
                                             "lists of one length, such as [1, 2] or [[1, 2], [3, 4]]",
                                             variable.name, shown(text)));
    column = data::real_column("values", shape, 1, std::move(numbers));
  }
  column.written = true;
  column.origin = shown(text);
  return column;
}

/// Tells the user what is done to the values; or that nothing can be done, although the sources do something.
void note_on(const Image& image, const Preprocessing::Rule& rule, const Variable& variable,
             const std::string& text) {
  const std::string source = image.sources[static_cast<size_t>(rule.source)].name;
  if (!rule.transformation.can_apply()) {
    fmt::print(
        stderr,
        "warning: --given {}: the values are taken as they are, but source {} computes {} from {}; they "
        "must be computed in the same way\n",
        text, source, variable.name,
        rule.transformation.asks_for_missing() ? "what is missing" : "several columns");
    return;
  }
  std::vector<std::string> others;
  for (const int other : rule.different) others.push_back(image.sources[static_cast<size_t>(other)].name);
  if (!rule.transformation.is_identity() || !others.empty())
    print_error("note: --given {}: values go through {}, as in source {}{}\n", text,
                rule.transformation.text(variable.name), source,
                others.empty() ? "" : fmt::format("; otherwise in {}", fmt::join(others, ", ")));
}

/// Reads the values of "x=FILE" or "x=7".
class Reading {
 public:
  Reading(const Image& image, Preprocessing& preprocessing) : image_(image), preprocessing_(preprocessing) {}

  ReadValues read(int index, const std::string& value, const std::string& text) {
    Variable variable = image_.variables[static_cast<size_t>(index)];
    // A word that only the data hold may be given as it is.
    if (variable.words.empty() && !is_file(value) && !number_in(value) && !value.starts_with('['))
      variable.words = preprocessing_.words(index);
    const Preprocessing::Rule* rule = preprocessing_.rule(index);
    const data::Transformation* transformation = rule ? &rule->transformation : nullptr;
    data::Column column = raw(value, variable, transformation);
    // Classes that are marked are those of the variable, to which nothing is applied any more.
    const bool marked = has_class_axis(column, variable);
    if (marked) column = marked_classes(column, variable, text);
    if (!marked && transformation && transformation->can_apply() && !transformation->is_identity()) {
      check_rows(column, variable);
      column = transformation->apply(column);
    }
    ReadValues read = values_of(std::move(column), variable, preprocessing_.words(index));
    if (rule && !marked) note_on(image_, *rule, variable, shown(text));
    return read;
  }

 private:
  data::Column raw(const std::string& value, const Variable& variable,
                   const data::Transformation* transformation) {
    if (is_file(value)) return read_column(value, image_, variable, transformation);
    if (const auto written = written_column(value, variable)) return *written;
    std::string words;
    if (!variable.words.empty()) words = fmt::format("; its words are {}", fmt::join(variable.words, ", "));
    throw Failure(Exit::missing_input,
                  fmt::format("there is no file or source {} for {}{}", shown(value), variable.name, words));
  }

  /// Refuses rows whose shape is not the variable's, as for rows of a source.
  static void check_rows(const data::Column& column, const Variable& variable) {
    if (!data::stretch_rows(column, given_shape(variable))) data::Population(column, spec_of(variable));
  }

  const Image& image_;
  Preprocessing& preprocessing_;
};

constexpr int64_t drawn_rows = 64;  // for a source without data, if nothing else says how many

Values one_row_repeated(const Values& values, const Image& image, int64_t rows) {
  return some_rows(image, values, 1, 0, rows);
}

/// Adds `more` to `given`. If one of them has a single row, that row is repeated.
void join(Given& given, Given more, const Image& image, const std::string& text) {
  if (given.rows == 1 && more.rows > 1) {
    given.values = one_row_repeated(given.values, image, more.rows);
    given.masks = one_row_repeated(given.masks, image, more.rows);
  } else if (more.rows == 1 && given.rows > 1) {
    more.values = one_row_repeated(more.values, image, given.rows);
    more.masks = one_row_repeated(more.masks, image, given.rows);
    more.rows = given.rows;
  } else if (given.rows && more.rows != given.rows) {
    throw Failure(Exit::bad_data, fmt::format("--given {}: it has {} rows, what was given before has {}",
                                              text, more.rows, given.rows));
  }
  given.rows = more.rows;
  for (auto& [index, numbers] : more.values) given.values[index] = std::move(numbers);
  for (auto& [index, numbers] : more.masks) given.masks[index] = std::move(numbers);
}

/// Which positions of a variable are known: 1 for known, 0 for unknown.
ReadValues mask_values(const std::string& path, const Image& image, const Variable& mask,
                       const std::string& text) {
  data::Column column = read_column(path, image, mask, nullptr);
  try {
    return values_of(std::move(column), mask);
  } catch (const Failure& failure) {
    throw Failure(failure.exit_code,
                  fmt::format("--mask {}: a mask holds 1 where the value is known, else 0: {}", shown(text),
                              failure.what()));
  }
}

/// The variable in "x=FILE"; -1 if the text is the name of a source.
int variable_or_source(const Image& image, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != std::string::npos && equals + 1 < text.size())
    return variable_of_flag(image, "--given", text, "FILE");
  if (image.source(text) >= 0) return -1;
  std::vector<std::string> sources;
  for (const Source& source : image.sources) sources.push_back(source.name);
  throw Failure(
      Exit::usage,
      fmt::format("--given {}: say VARIABLE=FILE, VARIABLE=VALUE, VARIABLE=SOURCE or SOURCE; the sources "
                  "are {}",
                  shown(text), fmt::join(sources, ", ")));
}

}  // namespace

Given read_given(const Image& image, Sampler& sampler, Preprocessing& preprocessing,
                 const std::vector<std::string>& texts, const std::optional<std::set<int>>& wanted) {
  Given given;
  Reading reading(image, preprocessing);
  std::set<int> named;
  for (const std::string& text : texts) {
    const int variable = variable_or_source(image, text);
    const bool whole_source = variable < 0;
    if (!whole_source && !named.insert(variable).second)
      throw Failure(Exit::usage, fmt::format("--given {}: {} is given twice", shown(text),
                                             text.substr(0, text.find('='))));
    const std::string value = whole_source ? text : text.substr(text.find('=') + 1);
    const int source = !whole_source && is_file(value) ? -1 : image.source(value);
    Given more;
    if (source >= 0) {
      sampler.require_whole_rows(source, "--given " + text);
      more.rows = sampler.source_rows(source);
      // A source that only draws has no rows of its own. It draws as many rows as were given before.
      if (more.rows == 0) more.rows = given.rows ? given.rows : drawn_rows;
      more.values = sampler.source(source, more.rows, 0);
      std::erase_if(more.values, [&](const auto& entry) {
        return whole_source ? wanted && !wanted->contains(entry.first) : entry.first != variable;
      });
      if (more.values.empty())
        throw Failure(Exit::usage,
                      fmt::format("--given {}: the source does not give {}", text,
                                  whole_source ? "what is asked for" : text.substr(0, text.find('='))));
    } else {
      ReadValues read = reading.read(variable, value, text);
      more.values[variable] = std::move(read.values);
      if (!read.known.empty()) more.masks[variable] = std::move(read.known);
      more.rows = read.rows;
    }
    join(given, std::move(more), image, text);
  }
  return given;
}

Values read_masks(const Image& image, const std::vector<std::string>& texts, int64_t rows) {
  Values masks;
  for (const std::string& text : texts) {
    const int index = variable_of_flag(image, "--mask", text, "FILE");
    const Variable& variable = image.variables[static_cast<size_t>(index)];
    const Variable mask = {variable.name, "binary", 0, variable.shape, variable.shape};
    const std::string path = text.substr(text.find('=') + 1);
    if (!is_file(path))
      throw Failure(Exit::missing_input, fmt::format("--mask {}: there is no file {}", text, path));
    const ReadValues read = mask_values(path, image, mask, text);
    if (!read.known.empty())
      throw Failure(Exit::bad_data, fmt::format("--mask {}: values are missing in the mask itself", text));
    if (read.rows != rows && read.rows != 1)
      throw Failure(Exit::bad_data,
                    fmt::format("--mask {}: it has {} rows, what is given has {}", text, read.rows, rows));
    // If a position is known, every class of that position is known.
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

}  // namespace core
