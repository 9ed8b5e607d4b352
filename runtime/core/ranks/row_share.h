// The rows of a batch that one of several ranks computes.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace core {

/// Rows [first, first + rows) of the batch. A rank without rows of its own computes one row, which does not
/// count.
struct RowShare {
  int64_t first = 0, rows = 0;
  bool counts = true;
};

/// Part `part` of `parts`: rows floor(part * rows / parts) to floor((part + 1) * rows / parts).
inline RowShare share_of(int64_t rows, int64_t part, int64_t parts) {
  const int64_t first = part * rows / parts, end = (part + 1) * rows / parts;
  // The last part has a row, so row `first` exists.
  return {first, std::max<int64_t>(1, end - first), end > first};
}

inline std::vector<int64_t> rows_of(const std::vector<RowShare>& shares) {
  std::vector<int64_t> rows;
  for (const RowShare& share : shares) rows.push_back(share.rows);
  return rows;
}

inline std::vector<int64_t> first_rows_of(const std::vector<RowShare>& shares) {
  std::vector<int64_t> rows;
  for (const RowShare& share : shares) rows.push_back(share.first);
  return rows;
}

}  // namespace core
