// Rows that are not held in memory: read from where they lie when they are needed, as bytes or as float32.
// read() and expect() may be called from several threads at once.
#pragma once
#include <cstdint>

namespace data {

template <typename T>
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// The elements of n rows, one row after the other. Failure(bad_data) where a file is broken there.
  virtual void read(const int64_t* rows, int64_t n, T* to) const = 0;
  /// These rows are read soon: what is slow may begin now. Never fails.
  virtual void expect(const int64_t* rows, int64_t n) const = 0;
};

}  // namespace data
