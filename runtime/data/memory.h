// Limits the memory that all columns of data together may take. A column that does not fit stays in its file,
// or its rows are computed again each time they are drawn.
#pragma once
#include <cstdint>
#include <limits>

namespace data {

class Memory {
 public:
  explicit Memory(int64_t bytes = std::numeric_limits<int64_t>::max()) : left_(bytes), total_(bytes) {}
  /// $VAEC_DATA_MEMORY (bytes; K, M and G multiply by powers of 1024), else a quarter of the memory that this
  /// process may have. Failure(bad_configuration) if the variable is not such a number.
  static Memory from_environment();

  bool has(int64_t bytes) const { return bytes <= left_; }
  /// Takes `bytes` of the memory if there is space. Returns whether there was.
  bool take(int64_t bytes);
  /// How many bytes of rows may be read ahead from one file.
  int64_t for_read_ahead() const;

 private:
  int64_t left_, total_;
};

}  // namespace data
