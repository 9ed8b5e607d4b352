#include "runtime/data/population.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <cmath>
#include <numbers>
#include <numeric>
#include <optional>

#include "runtime/data/cells/words.h"
#include "runtime/data/expressions/elementwise.h"
#include "runtime/data/gather.h"
#include "runtime/data/pictures/picture_arguments.h"
#include "runtime/shared/failure.h"

namespace data {

std::string domain_text(const VariableSpec& variable) {
  std::string text = variable.domain;
  if (variable.domain == "category" || variable.domain == "simplex")
    text += fmt::format(
        "({})", variable.words.empty() ? fmt::to_string(variable.classes) : listed_words(variable.words));
  return variable.shape.empty() ? text : text + to_string(variable.shape);
}

namespace {

constexpr float unit_margin = 1e-6f;

bool whole(float value) { return value == std::floor(value); }

/// The condition on a value of the domain, and a test for it. A simplex is also checked as a whole.
struct Rule {
  std::string must;
  bool (*holds)(float value, int64_t classes);
};

Rule rule_of(const VariableSpec& variable) {
  const std::string& domain = variable.domain;
  if (domain == "binary") return {"0 or 1", [](float v, int64_t) { return v == 0 || v == 1; }};
  if (domain == "category")
    return {fmt::format("a class from 0 to {}", variable.classes - 1),
            [](float v, int64_t classes) { return whole(v) && v >= 0 && v < static_cast<float>(classes); }};
  if (domain == "count")
    return {"a whole number from 0", [](float v, int64_t) { return whole(v) && v >= 0; }};
  if (domain == "real") return {"finite", [](float, int64_t) { return true; }};
  if (domain == "positive") return {"above 0", [](float v, int64_t) { return v > 0; }};
  if (domain == "unit" || domain == "probability")
    return {"from 0 to 1", [](float v, int64_t) { return v >= 0 && v <= 1; }};
  if (domain == "angle")
    return {"above -pi and up to pi", [](float v, int64_t) {
              constexpr auto pi = std::numbers::pi_v<float>;
              return v > -pi && v <= pi;
            }};
  if (domain == "simplex") return {"above 0", [](float v, int64_t) { return v > 0; }};
  throw Failure(Exit::internal, fmt::format("`{}` is no domain", domain));
}

std::string given_by(const VariableSpec& variable, const Column& column) {
  if (variable.domain == "probability")
    return fmt::format("the probabilities of `{}` from {}", variable.name, column.label());
  return fmt::format("`{}` ({}) from {}", variable.name, domain_text(variable), column.label());
}

[[noreturn]] void refuse(const VariableSpec& variable, const Column& column, const Rule& rule, int64_t row,
                         float value) {
  const std::string where = fmt::format("{}: row {}", given_by(variable, column), row);
  if (std::isnan(value))
    throw Failure(Exit::bad_data,
                  where + " is missing; only columns that are held in memory may miss values");
  if (std::isinf(value))
    throw Failure(Exit::bad_data, where + " holds an infinity, or a number beyond 3.4e38");
  const bool compare = variable.domain == "binary" && value > 0 && value < 1;
  throw Failure(Exit::bad_data, fmt::format("{} holds {}, which must be {}{}", where, value, rule.must,
                                            compare ? " (compare, as in `> 0.5`)" : ""));
}

std::bitset<256> occurring(const Column& column) {
  std::array<bool, 256> seen{};
  const int64_t count = column.rows * column.row_elements();
  const uint8_t* bytes = column.byte_data();
  for (int64_t i = 0; i < count; ++i) seen[bytes[i]] = true;
  std::bitset<256> result;
  for (int byte = 0; byte < 256; ++byte) result[byte] = seen[byte];
  return result;
}

/// Refuses the first value that breaks the rule.
void check_values(const Column& column, const VariableSpec& variable) {
  const Rule rule = rule_of(variable);
  auto good = [&](float value) { return std::isfinite(value) && rule.holds(value, variable.classes); };
  const int64_t elements = std::max<int64_t>(1, column.row_elements()), count = column.rows * elements;
  if (column.is_bytes()) {
    const std::bitset<256> seen = occurring(column);
    std::array<bool, 256> bad{};
    bool any = false;
    for (int byte = 0; byte < 256; ++byte) any |= bad[byte] = seen[byte] && !good((*column.levels)[byte]);
    if (!any) return;
    const uint8_t* bytes = column.byte_data();
    const int64_t found = std::find_if(bytes, bytes + count, [&](uint8_t b) { return bad[b]; }) - bytes;
    refuse(variable, column, rule, found / elements, column.at(found));
  }
  const float* reals = column.real_data();
  const int64_t found = std::find_if_not(reals, reals + count, good) - reals;
  if (found != count) refuse(variable, column, rule, found / elements, column.at(found));
}

/// Failure unless the K numbers along the first axis sum to 1, at each position of the row.
void check_simplex(const Column& column, const VariableSpec& variable, int64_t row, const float* values) {
  constexpr double tolerance = 1e-4;  // data are often written with only five or six digits
  const int64_t positions = column.row_elements() / variable.classes;
  for (int64_t position = 0; position < positions; ++position) {
    double sum = 0;
    for (int64_t k = 0; k < variable.classes; ++k) sum += values[k * positions + position];
    if (std::fabs(sum - 1) > tolerance)
      throw Failure(Exit::bad_data, fmt::format("{}: row {} sums to {}, which must be 1",
                                                given_by(variable, column), row, sum));
  }
}

/// The column stretched to rows of the wanted shape; Failure(bad_data) if that is not possible.
Column fitted(const Column& column, const VariableSpec& variable, const Shape& wanted) {
  std::optional<Column> result = stretch_rows(column, wanted);
  if (!result)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: its rows have the shape {}, the variable needs {}",
                              given_by(variable, column), to_string(column.row_shape), to_string(wanted)));
  if (column.rows == 0)
    throw Failure(Exit::bad_data, fmt::format("{}: there are no rows", given_by(variable, column)));
  return *std::move(result);
}

/// The scale and offset that give each byte's value, if there are such numbers.
std::optional<Affine> affine_of(const Levels& levels) {
  Affine affine;
  affine.scale = (levels[255] - levels[0]) / 255;
  affine.offset = levels[0];
  const float tolerance = 3e-7f * std::max(std::fabs(levels[0]), std::fabs(levels[255]));
  for (int byte = 0; byte < 256; ++byte)
    if (!(std::fabs(affine.scale * static_cast<float>(byte) + affine.offset - levels[byte]) <= tolerance))
      return {};
  return affine;
}

/// Marks the rows that contain a NaN, and replaces each by a row without one.
Column without_missing(const Column& column, const VariableSpec& variable, std::vector<uint8_t>& missing) {
  const int64_t elements = column.row_elements();
  int64_t whole = -1, count = 0;
  std::vector<uint8_t> marks(static_cast<size_t>(column.rows));
  for (int64_t row = 0; row < column.rows; ++row) {
    for (int64_t i = row * elements; i < (row + 1) * elements && !marks[static_cast<size_t>(row)]; ++i)
      marks[static_cast<size_t>(row)] = std::isnan(column.at(i));
    if (marks[static_cast<size_t>(row)])
      ++count;
    else if (whole < 0)
      whole = row;
  }
  if (count == 0) return column;
  if (whole < 0)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: the value is missing in every row", given_by(variable, column)));
  std::vector<float> reals(static_cast<size_t>(column.rows * elements));
  for (int64_t row = 0; row < column.rows; ++row)
    for (int64_t i = 0; i < elements; ++i)
      reals[static_cast<size_t>(row * elements + i)] =
          column.at((marks[static_cast<size_t>(row)] ? whole : row) * elements + i);
  missing = std::move(marks);
  Column filled = real_column(column.name, column.row_shape, column.rows, std::move(reals));
  filled.origin = column.origin;
  return filled;
}

/// Whether the column can contain missing values: it is of floats, or of comparisons of floats.
bool may_miss(const Column& column) {
  return !column.is_bytes() || std::any_of(column.levels->begin(), column.levels->end(),
                                           [](float level) { return std::isnan(level); });
}

}  // namespace

/// A streamed column. Each row is checked when it is drawn; the values written are the same as for a column
/// in memory.
class Streamed {
 public:
  Streamed(const Column& column, const VariableSpec& variable, float low, float high)
      : column_(column), variable_(variable), rule_(rule_of(variable)), low_(low), high_(high) {
    category_ = variable.domain == "category";
    if (!column.is_bytes()) return;
    levels_ = *column.levels;
    bool whole_bytes = true;
    for (int byte = 0; byte < 256; ++byte) {
      good_[byte] = good(levels_[byte]);
      if (good_[byte]) whole_bytes &= whole(levels_[byte]) && levels_[byte] >= 0 && levels_[byte] <= 255;
    }
    if (!whole_bytes) affine_ = affine_of(levels_);
    for (float& level : levels_) level = std::clamp(level, low_, high_);
  }

  void expect(const int64_t* rows, int64_t n) const { column_.expect(rows, n); }

  void gather(const int64_t* rows, int64_t n, float* out) const {
    const int64_t elements = column_.row_elements();
    std::vector<int64_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    if (column_.is_bytes()) {
      std::vector<uint8_t> bytes(n * elements);
      column_.read(rows, n, bytes.data());
      for (size_t i = 0; i < bytes.size(); ++i)
        if (!good_[bytes[i]])
          refuse(variable_, column_, rule_, rows[static_cast<int64_t>(i) / elements],
                 (*column_.levels)[bytes[i]]);
      if (!category_ && affine_)
        return gather_affine(bytes.data(), elements, order.data(), n,
                             {affine_->scale, affine_->offset, low_, high_}, out);
      if (!category_) return gather_levels(bytes.data(), elements, order.data(), n, levels_.data(), out);
      std::vector<float> classes(bytes.size());
      gather_levels(bytes.data(), elements, order.data(), n, levels_.data(), classes.data());
      return gather_one_hot(classes.data(), elements, order.data(), n, variable_.classes, out);
    }
    std::vector<float> values(n * elements);
    column_.read(rows, n, values.data());
    for (size_t i = 0; i < values.size(); ++i)
      if (!good(values[i]))
        refuse(variable_, column_, rule_, rows[static_cast<int64_t>(i) / elements], values[i]);
    if (variable_.domain == "simplex")
      for (int64_t i = 0; i < n; ++i)
        check_simplex(column_, variable_, rows[i], values.data() + i * elements);
    if (category_) return gather_one_hot(values.data(), elements, order.data(), n, variable_.classes, out);
    gather_reals(values.data(), elements, order.data(), n, low_, high_, out);
  }

 private:
  bool good(float value) const { return std::isfinite(value) && rule_.holds(value, variable_.classes); }

  Column column_;
  VariableSpec variable_;
  Rule rule_;
  float low_, high_;
  bool category_ = false;
  Levels levels_{};
  std::array<bool, 256> good_{};
  std::optional<Affine> affine_;
};

Population::Population(const Column& given, const VariableSpec& variable) {
  Column column = given;
  const bool category = variable.domain == "category";
  Shape wanted = variable.shape;
  if (variable.domain == "simplex") wanted.insert(wanted.begin(), variable.classes);
  if (category && variable.words.empty() && column.words) words_ = *column.words;
  has_written_numbers_ = category && variable.words.empty() && !column.words && column.written;
  column = classes_of(column, variable, given_by(variable, column));
  if (category && column.pixels && column.is_bytes()) column.levels = whole_levels();
  column = fitted(column, variable, wanted);
  if (!column.is_streamed()) {
    if (may_miss(column)) column = without_missing(column, variable, missing_);
    check_values(column, variable);
    if (variable.domain == "simplex")
      scan(column, [&](int64_t first, int64_t rows, const float* values) {
        for (int64_t row = 0; row < rows; ++row)
          check_simplex(column, variable, first + row, values + row * column.row_elements());
      });
  }
  if (variable.domain == "unit") {
    low_ = unit_margin;
    high_ = 1 - unit_margin;
  }
  rows_ = column.rows;
  elements_ = column.row_elements();
  classes_ = category ? variable.classes : 0;
  row_size_ = category ? elements_ * classes_ : elements_;
  first_row_ = column.first_row;
  if (column.is_streamed()) {
    streamed_ = std::make_shared<const Streamed>(column, variable, low_, high_);
  } else if (column.is_bytes()) {
    keep_bytes(column, variable);
  } else {
    encoding_ = category ? Encoding::class_reals : Encoding::reals;
    reals_ = column.reals;
  }
}

void Population::keep_bytes(const Column& column, const VariableSpec& variable) {
  const std::bitset<256> seen = occurring(column);
  const bool category = variable.domain == "category";
  bytes_ = column.bytes;
  levels_ = *column.levels;
  bool direct = true, small = true;  // direct: each byte is its own value; small: each value is a byte
  for (int byte = 0; byte < 256; ++byte) {
    if (!seen[byte]) continue;
    direct &= levels_[byte] == static_cast<float>(byte);
    small &= whole(levels_[byte]) && levels_[byte] >= 0 && levels_[byte] <= 255;
  }
  if (category && !small) {  // more than 256 classes, because arithmetic changed the bytes' values
    std::vector<float> classes(rows_ * elements_);
    for (int64_t i = 0; i < rows_ * elements_; ++i) classes[i] = column.at(i);
    encoding_ = Encoding::class_reals;
    reals_ = std::make_shared<const std::vector<float>>(std::move(classes));
    bytes_ = nullptr;
    first_row_ = 0;
    return;
  }
  if (!direct && small) {
    // Bytes of, for example, a comparison are rewritten once as their values. A step then multiplies them
    // instead of looking them up, which is faster.
    std::array<uint8_t, 256> value{};
    for (int byte = 0; byte < 256; ++byte)
      if (seen[byte]) value[byte] = static_cast<uint8_t>(levels_[byte]);
    std::vector<uint8_t> copy(rows_ * elements_);
    const uint8_t* from = column.byte_data();
    for (size_t i = 0; i < copy.size(); ++i) copy[i] = value[from[i]];
    bytes_ = std::make_shared<const std::vector<uint8_t>>(std::move(copy));
    first_row_ = 0;
  }
  if (category) {
    encoding_ = Encoding::class_bytes;
    return;
  }
  if (variable.domain == "binary") {
    // Packed bits of randomly chosen rows are usually in the processor's caches; bytes would come from main
    // memory.
    bytes_ = std::make_shared<const std::vector<uint8_t>>(
        packed_bits(bytes_->data() + first_row_ * elements_, elements_, rows_));
    first_row_ = 0;
    encoding_ = Encoding::bits;
    return;
  }
  encoding_ = Encoding::affine_bytes;
  if (direct || small) return;
  if (const auto affine = affine_of(levels_)) {
    scale_ = affine->scale;
    offset_ = affine->offset;
  } else {
    encoding_ = Encoding::level_bytes;
  }
  for (float& level : levels_) level = std::clamp(level, low_, high_);
}

void Population::expect(const int64_t* rows, int64_t n) const {
  if (streamed_) streamed_->expect(rows, n);
}

void Population::gather(const int64_t* rows, int64_t n, float* out) const {
  if (streamed_) return streamed_->gather(rows, n, out);
  const uint8_t* bytes = bytes_ ? bytes_->data() + first_row_ * elements_ : nullptr;
  const float* reals = reals_ ? reals_->data() + first_row_ * elements_ : nullptr;
  switch (encoding_) {
    case Encoding::bits:
      return gather_bits(bytes_->data(), elements_, rows, n, out);
    case Encoding::affine_bytes:
      return gather_affine(bytes, elements_, rows, n, {scale_, offset_, low_, high_}, out);
    case Encoding::level_bytes:
      return gather_levels(bytes, elements_, rows, n, levels_.data(), out);
    case Encoding::reals:
      return gather_reals(reals, elements_, rows, n, low_, high_, out);
    case Encoding::class_bytes:
      return gather_one_hot(bytes, elements_, rows, n, classes_, out);
    case Encoding::class_reals:
      return gather_one_hot(reals, elements_, rows, n, classes_, out);
  }
}

Population load(const schema::DataExpression& expression, const VariableSpec& variable, Context& context) {
  schema::DataExpression completed = expression;
  complete_picture_arguments(completed, variable.shape, variable.domain == "category");
  return Population(evaluate_column(completed, context), variable);
}

}  // namespace data
