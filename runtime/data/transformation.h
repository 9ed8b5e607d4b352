// What a source does to the values of one variable, `x = normalize(t.a) > 0.5`, done to values from elsewhere
// and, where `normalize` moved and scaled them, undone. What only chooses rows has no part in it.
#pragma once
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/data/statistics.h"

namespace data {

class Transformation {
 public:
  /// `expression`: as a source gives it, without noise, its statistics put in; `value_shape`: of a row of the
  /// variable's values.
  Transformation(const nlohmann::json& expression, Shape value_shape);

  /// The values are computed from one column of one reader, and from more than where it has none.
  bool can_apply() const { return one_column_ && !asks_for_missing_; }
  /// `missing` is part of it: what is given has a value, so that it can tell nothing.
  bool asks_for_missing() const { return asks_for_missing_; }
  /// The values are what the reader gives.
  bool is_identity() const;
  /// Of the column's reader, as in a data expression; and the column's name, empty for the table as a value.
  const nlohmann::json& reader() const { return reader_; }
  const std::string& column() const { return column_; }
  /// With `value` for what the reader gives: `normalize(x) > 0.5`.
  std::string text(const std::string& value) const;
  /// Whether the other one computes the same.
  bool agrees_with(const Transformation& other) const;

  /// The values of what a reader gave: rows of `value_shape`, or of one that stretches to it.
  Column apply(const Column& raw) const;
  /// Whether `undo` changes anything: some `normalize` can be undone.
  bool can_undo() const { return !undo_.empty(); }
  /// In place, rows of value_shape one after the other: back to what the reader gives, as far as each
  /// operation has an inverse.
  void undo(std::vector<float>& values) const;
  /// In place, as `undo`, but only to what is normalized, which is the scale of pictures: [0, 1], as in
  /// normalize(bytes / 255). Where nothing is between it and an `idx`, its bytes are divided by 255.
  void undo_for_picture(std::vector<float>& values) const;

 private:
  /// Of the mean and deviation that stand for each element of a row.
  struct Scale {
    std::vector<double> means, deviations;
  };
  using Inverse = std::function<double(double value, size_t element)>;

  void undo(std::vector<float>& values, size_t inverses) const;
  void find_columns(const nlohmann::json& expression, const std::string& column);
  void find_scales(const nlohmann::json& expression, const std::string& column);
  void find_inverses(const nlohmann::json& expression);
  bool find_inverse_of_operation(const nlohmann::json& expression);
  Scale scale_of(const nlohmann::json& normalize, const std::string& column) const;
  Scale stretched(const ColumnStatistics& statistics) const;
  Column apply(const nlohmann::json& expression, const Column& raw) const;
  Column scaled(const Column& column, const Scale& scale) const;

  nlohmann::json expression_;
  Shape value_shape_;
  size_t elements_ = 1;
  bool one_column_ = true, asks_for_missing_ = false;
  nlohmann::json reader_;
  std::string column_;
  std::map<std::string, Scale> scales_;  // by the expression of the `normalize`
  std::vector<Inverse> undo_;            // in the order in which they are done
  size_t normalized_ = 0;           // so many of them undo the innermost `normalize` and what is around it
  bool normalizes_reader_ = false;  // nothing is computed between it and the reader
};

}  // namespace data
