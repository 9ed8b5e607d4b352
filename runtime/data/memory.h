// How much memory the columns of data may take in all. A column that does not fit stays in its file, or is
// computed anew for the rows that are drawn.
#pragma once
#include <cstdint>
#include <limits>

namespace data {

class Memory {
 public:
  explicit Memory(int64_t bytes = std::numeric_limits<int64_t>::max()) : left_(bytes), total_(bytes) {}
  /// $VAEC_DATA_MEMORY (bytes; K, M and G multiply by 1024), else a quarter of what this process may have.
  /// Failure(bad_configuration) where the variable says nothing of the kind.
  static Memory from_environment();

  bool has(int64_t bytes) const { return bytes <= left_; }
  /// Whether there was space; then it is taken.
  bool take(int64_t bytes);
  /// Bytes for rows of one file that are read ahead.
  int64_t for_read_ahead() const;

 private:
  int64_t left_, total_;
};

}  // namespace data
