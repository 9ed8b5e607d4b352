// Rows that are not kept in memory: they are read or computed when they are needed, as bytes or as float32.
// Several threads may call read() and expect() at once.
#pragma once
#include <cstdint>

namespace data {

template <typename T>
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Writes the elements of n rows, one row after the other. Failure(bad_data) if the file is broken there.
  virtual void read(const int64_t* rows, int64_t n, T* to) const = 0;
  /// Announces that these rows are read soon, so that slow work can begin. Never fails.
  virtual void expect(const int64_t* rows, int64_t n) const = 0;
};

}  // namespace data
