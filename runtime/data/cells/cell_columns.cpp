#include "runtime/data/cells/cell_columns.h"

#include <charconv>
#include <cmath>

namespace data {

bool parse_number(std::string_view text, float& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) number = text.find("e-") == text.npos ? INFINITY : 0;
  value = static_cast<float>(number);
  return !text.empty() && error != std::errc::invalid_argument && end == text.data() + text.size();
}

std::shared_ptr<const std::vector<std::string>> WordIndex::sorted(std::vector<float>& values) const {
  auto words = std::make_shared<std::vector<std::string>>();
  std::vector<float> moved(places_.size());
  for (const auto& [word, place] : places_) {
    moved[place] = static_cast<float>(words->size());
    words->push_back(word);
  }
  for (float& value : values)
    if (!std::isnan(value)) value = moved[static_cast<size_t>(value)];
  return words;
}

bool CellColumn::begin_words() {
  is_text = !no_number.empty();
  if (is_text) values.clear();
  return is_text;
}

void CellColumn::add_missing() { values.push_back(NAN); }

bool CellColumn::add(const std::string& cell) {
  float value = NAN;
  const bool number = parse_number(cell, value);
  if (!number) value = NAN;
  // In a column of words, a cell that says NaN is a missing value.
  if (is_text && !(number && std::isnan(value))) value = index_.place(cell);
  values.push_back(value);
  return number || !no_number.empty();
}

Column CellColumn::finish() {
  std::shared_ptr<const std::vector<std::string>> words;
  if (is_text) words = index_.sorted(values);
  const auto rows = static_cast<int64_t>(values.size());
  Column column = real_column(name, {}, rows, std::move(values));
  column.unusable = unusable;
  column.words = std::move(words);
  column.no_number = no_number;
  column.written = true;
  return column;
}

}  // namespace data
