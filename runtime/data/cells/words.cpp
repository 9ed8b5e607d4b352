#include "runtime/data/cells/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "runtime/data/population.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

/// The same column with other values, in memory.
Column with_values(const Column& column, const std::function<float(float value, int64_t row)>& change) {
  const int64_t elements = column.row_elements();
  std::vector<float> values(column.rows * elements);
  scan(column, [&](int64_t first, int64_t rows, const float* from) {
    for (int64_t i = 0; i < rows * elements; ++i)
      values[first * elements + i] =
          std::isnan(from[i]) ? NAN : change(from[i], first + i / std::max<int64_t>(1, elements));
  });
  Column result = real_column(column.name, column.row_shape, column.rows, std::move(values));
  result.origin = column.origin;
  return result;
}

/// The number that a word says; NaN if it is not a number.
float number_of(const std::string& word) {
  double number = NAN;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size() ? static_cast<float>(number) : NAN;
}

[[noreturn]] void refuse_word(const std::string& described, int64_t row, const std::string& word,
                              const VariableSpec& variable) {
  throw Failure(Exit::bad_data, fmt::format("{}: row {} holds \"{}\", which is none of its words {}",
                                            described, row, word, listed_words(variable.words)));
}

/// The place of each word among the classes; -1 if it is not one of them.
std::vector<int64_t> places_in(const std::vector<std::string>& classes,
                               const std::vector<std::string>& words) {
  std::vector<int64_t> places;
  for (const std::string& word : words) {
    const auto found = std::find(classes.begin(), classes.end(), word);
    places.push_back(found == classes.end() ? -1 : found - classes.begin());
  }
  return places;
}

}  // namespace

std::string listed_words(const std::vector<std::string>& words) {
  constexpr size_t most = 10;
  std::vector<std::string> quoted;
  for (const std::string& word : words)
    if (quoted.size() < most) quoted.push_back('"' + word + '"');
  return fmt::format("{}{}", fmt::join(quoted, ", "), words.size() > most ? ", ..." : "");
}

Column joined_words(const std::vector<Column>& columns, const std::string& origin) {
  std::set<std::string> all;
  std::vector<std::string> names;
  for (const Column& column : columns) {
    all.insert(column.words->begin(), column.words->end());
    names.push_back(column.name);
  }
  const auto words = std::make_shared<const std::vector<std::string>>(all.begin(), all.end());
  const int64_t rows = columns.front().rows, width = static_cast<int64_t>(columns.size());
  const int64_t elements = columns.front().row_elements();
  std::vector<float> values(rows * elements * width);
  for (int64_t i = 0; i < width; ++i) {
    const std::vector<int64_t> places = places_in(*words, *columns[i].words);
    scan(columns[i], [&](int64_t first, int64_t count, const float* from) {
      float* to = values.data() + first * elements * width + i;
      for (int64_t k = 0; k < count * elements; ++k)
        to[k * width] = std::isnan(from[k]) ? NAN : static_cast<float>(places[static_cast<size_t>(from[k])]);
    });
  }
  Column result = real_column(fmt::format("({})", fmt::join(names, ", ")), shape_of_vectors(columns), rows,
                              std::move(values));
  result.origin = origin;
  result.words = words;
  result.no_number = columns.front().no_number;
  result.written = true;
  return result;
}

Column classes_of(const Column& column, const VariableSpec& variable, const std::string& described) {
  if (variable.domain != "category") {
    column.require_numbers();
    return column;
  }
  if (!variable.words.empty() && column.words) {
    const std::vector<int64_t> places = places_in(variable.words, *column.words);
    return with_values(column, [&](float value, int64_t row) {
      const auto place = static_cast<size_t>(value);
      if (places[place] < 0) refuse_word(described, row, (*column.words)[place], variable);
      return static_cast<float>(places[place]);
    });
  }
  if (!variable.words.empty() && column.written && column.no_number.empty()) {
    // The cells are numbers, but a class may also be a word that says a number.
    std::map<float, float> places;
    for (size_t k = 0; k < variable.words.size(); ++k)
      if (const float number = number_of(variable.words[k]); !std::isnan(number))
        places.emplace(number, static_cast<float>(k));
    return with_values(column, [&](float value, int64_t row) {
      const auto found = places.find(value);
      if (found == places.end()) refuse_word(described, row, fmt::format("{}", value), variable);
      return found->second;
    });
  }
  if (!column.words) {
    column.require_numbers();
    return column;
  }
  const std::vector<std::string>& words = *column.words;
  if (static_cast<int64_t>(words.size()) != variable.classes)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: has {} different words ({}), but the variable has {} classes{}", described,
                              words.size(), listed_words(words), variable.classes,
                              column.no_number.empty() ? "" : fmt::format(" ({})", column.no_number)));
  return with_values(column, [](float value, int64_t) { return value; });
}

}  // namespace data
