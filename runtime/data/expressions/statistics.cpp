#include "runtime/data/expressions/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/data/expressions/derived_rows.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"

namespace data {
namespace {

/// Mean and standard deviation of one element over the rows. Each piece of rows is summed exactly up to
/// rounding, and two pieces are joined as in Chan, Golub and LeVeque (1983). Missing values do not count.
struct Moments {
  double present = 0, mean = 0, squares = 0;  // squares: sum of squared deviations from the mean
  void join(const Moments& other) {
    if (other.present == 0) return;
    const double total = present + other.present, apart = other.mean - mean;
    mean += apart * other.present / total;
    squares += other.squares + apart * apart * present * other.present / total;
    present = total;
  }
  double deviation() const {
    const double value = std::sqrt(squares / std::max(present, 1.0));
    return value > 0 ? value : 1;
  }
};

std::vector<Moments> moments_of(const Column& column) {
  const int64_t elements = column.row_elements();
  std::vector<Moments> moments(elements);
  scan(column, [&](int64_t, int64_t rows, const float* values) {
    std::vector<Moments> piece(elements);
    std::vector<double> origin(elements);  // subtracted first: a constant then deviates by exactly 0
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < elements; ++i)
        if (const double value = values[row * elements + i]; !std::isnan(value)) {
          if (piece[i].present == 0) origin[i] = value;
          piece[i].present += 1;
          piece[i].mean += value - origin[i];
        }
    for (int64_t i = 0; i < elements; ++i)
      piece[i].mean = origin[i] + piece[i].mean / std::max(piece[i].present, 1.0);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < elements; ++i)
        if (const double apart = values[row * elements + i] - piece[i].mean; !std::isnan(apart))
          piece[i].squares += apart * apart;
    for (int64_t i = 0; i < elements; ++i) moments[i].join(piece[i]);
  });
  return moments;
}

Column normalized(const Column& column, const ColumnStatistics& statistics, Memory* memory) {
  const int64_t elements = column.row_elements();
  const auto compute = [column, elements, statistics](const int64_t* rows, int64_t n, float* to) {
    column.read(rows, n, to);
    for (int64_t row = 0; row < n; ++row)
      for (int64_t i = 0; i < elements; ++i, ++to)
        *to = static_cast<float>((*to - statistics.means[i]) / statistics.deviations[i]);
  };
  Column result = real_column(column.name, column.row_shape, column.rows, {});
  result.origin = column.origin;
  result.unusable = column.unusable;
  result.no_number = column.no_number;
  if (column.is_streamed() || (memory && !memory->take(result.bytes_in_memory()))) {
    result.reals = nullptr;
    result.real_rows = computed_rows({column}, Compute<float>(compute));
    return result;
  }
  std::vector<float> values(column.rows * elements);
  scan_rows(column.rows, elements, [&](const int64_t* rows, int64_t first, int64_t n) {
    compute(rows, n, values.data() + first * elements);
  });
  result.reals = std::make_shared<const std::vector<float>>(std::move(values));
  return result;
}

}  // namespace

TableStatistics statistics_of(const Table& table) {
  TableStatistics result;
  for (const Column& column : table.columns) {
    // A run could not keep a name that is not UTF-8, but counts the column, which is unusable.
    ColumnStatistics entry{
        is_utf8(column.name) ? column.name : printable(column.name), column.row_shape, {}, {}};
    if (column.no_number.empty() && column.unusable.empty())
      for (const Moments& moments : moments_of(column)) {
        entry.means.push_back(moments.present > 0 ? moments.mean : NAN);
        entry.deviations.push_back(moments.deviation());
      }
    // If there is no value, the mean is not finite either.
    const bool finite = std::ranges::all_of(entry.means, [](double n) { return std::isfinite(n); }) &&
                        std::ranges::all_of(entry.deviations, [](double n) { return std::isfinite(n); });
    if (!finite) entry.means = entry.deviations = {};
    result.push_back(std::move(entry));
  }
  return result;
}

/// The statistics for the column of this name. If both sides have one column, the names may differ. Null if
/// there are none.
static const ColumnStatistics* find_statistics(const TableStatistics& statistics, const Table& table,
                                               const std::string& name) {
  const bool single = statistics.size() == 1 && table.columns.size() == 1;
  const auto found =
      single ? statistics.begin() : std::ranges::find(statistics, name, &ColumnStatistics::name);
  return found == statistics.end() || found->means.empty() ? nullptr : &*found;
}

Table normalize(const Table& table, const TableStatistics& statistics, const std::string& by,
                Memory* memory) {
  Table result = table;
  for (Column& column : result.columns) {
    if (!column.no_number.empty() || !column.unusable.empty()) continue;
    const ColumnStatistics* taken = find_statistics(statistics, table, column.name);
    if (!taken) {
      column.unusable =
          fmt::format("normalize: {} has no finite numbers `{}` for {}", by, column.name, column.label());
    } else if (taken->shape != column.row_shape) {
      throw Failure(Exit::bad_data,
                    fmt::format("normalize: {} has the shape {}, the statistics of {} have {}",
                                column.label(), to_string(column.row_shape), by, to_string(taken->shape)));
    } else {
      column = normalized(column, *taken, memory);
    }
  }
  return result;
}

}  // namespace data
