// The operations by which a source computes one variable, as in `x = normalize(t.a) > 0.5`. They can be
// applied to other values, and undone where `normalize` shifted and scaled the values. Operations that only
// choose rows are ignored.
#pragma once
#include <functional>
#include <map>
#include <optional>

#include "runtime/data/expressions/statistics.h"

namespace data {

class Transformation {
 public:
  /// `expression`: as in a source, without noise and with its statistics put in. `value_shape`: shape of one
  /// row of the variable.
  Transformation(const schema::DataExpression& expression, Shape value_shape);

  /// Whether the values are computed from exactly one column of one reader and do not depend on `missing`. If
  /// they are not, but an invertible part of the expression begins with `normalize`, the transformation is
  /// that part: of normalize(t.a + t.b), it is normalize(value).
  bool can_apply() const { return one_column_ && !asks_for_missing_; }
  /// Whether the expression contains `missing`. It cannot be applied then: a given value is never missing, so
  /// the result would say nothing.
  bool asks_for_missing() const { return asks_for_missing_; }
  /// Whether the values are exactly those that the reader gives.
  bool is_identity() const;
  /// The reader, and the name of its column; the name is empty if the table is used as a value. There is a
  /// reader if the transformation can be applied.
  const schema::Reader& reader() const { return *reader_; }
  const std::string& column() const { return column_; }
  /// The expression with `value` in place of the reader: `normalize(x) > 0.5`.
  std::string text(const std::string& value) const;
  /// Whether `other` computes the same values.
  bool agrees_with(const Transformation& other) const;

  /// Computes the variable's values from a reader's values. Rows have the shape `value_shape`, or one that
  /// stretches to it.
  Column apply(const Column& raw) const;
  /// Whether `undo` changes anything: there is a `normalize` that can be undone.
  bool can_undo() const { return !undo_.empty(); }
  /// Changes values, rows of value_shape one after the other, back to the reader's values, in place. It goes
  /// as far as operations have an inverse.
  void undo(std::vector<float>& values) const;
  /// Like `undo`, but stops at the values that `normalize` was applied to. These have the scale of pictures,
  /// [0, 1], as in normalize(bytes / 255). If `normalize` is applied directly to the reader `idx`, its bytes
  /// are divided by 255.
  void undo_for_picture(std::vector<float>& values) const;

 private:
  /// The mean and the deviation for each element of a row.
  struct Scale {
    std::vector<double> means, deviations;
  };
  using Inverse = std::function<double(double value, size_t element)>;

  void undo(std::vector<float>& values, size_t inverses) const;
  void find_columns(const schema::DataExpression& expression, const std::string& column);
  void find_scales(const schema::DataExpression& expression, const std::string& column);
  void find_inverses(const schema::DataExpression& expression);
  Scale scale_of(const schema::Normalize& normalize, const std::string& column) const;
  Scale stretched(const ColumnStatistics& statistics) const;
  Column apply(const schema::DataExpression& expression, const Column& raw) const;
  Column scaled(const Column& column, const Scale& scale) const;

  schema::DataExpression expression_;
  Shape value_shape_;
  size_t elements_ = 1;
  bool one_column_ = true, asks_for_missing_ = false;
  std::optional<schema::Reader> reader_;
  std::string column_;
  std::map<std::string, Scale> scales_;  // by the text of the `normalize` expression
  std::vector<Inverse> undo_;            // in the order in which they are applied
  size_t normalized_ = 0;                // so many of `undo_` end with the innermost `normalize`
  bool normalizes_reader_ = false;       // `normalize` is applied directly to the reader
};

}  // namespace data
