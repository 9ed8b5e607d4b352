// Reads a file, plain or gzip, from beginning to end as uncompressed bytes.
// Never allocates more than the file really contains, whatever a header promises. Failures: missing_input
// (66) if the file cannot be opened; bad_data (65) if the stream is damaged, or shorter or longer than
// promised.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace data {

class ByteSource {
 public:
  explicit ByteSource(const std::filesystem::path& path);
  /// Reads `bytes` from memory. `name` names them in failures; `file` is the file that they were read from.
  ByteSource(std::vector<uint8_t> bytes, std::string name, std::filesystem::path file);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Appends exactly `count` bytes to `bytes`. `what` names them in a failure.
  void read(std::vector<uint8_t>& bytes, uint64_t count, const std::string& what);
  /// All bytes that are left.
  std::vector<uint8_t> read_rest();
  /// Failure if bytes are left, or if the file has a checksum that is wrong.
  void expect_end();
  /// Reads at most `count` bytes and gives how many; 0 only at the end.
  uint64_t read_some(uint8_t* bytes, uint64_t count);
  /// Whether the file is not compressed, so that it contains the same bytes that are read here. Known only
  /// after the first read.
  bool is_plain() const;
  /// Number of bytes read so far.
  uint64_t position() const { return position_; }
  const std::string& name() const { return name_; }
  const std::filesystem::path& file() const { return path_; }
  [[noreturn]] void fail_as_too_short(const std::string& what, uint64_t count) const;
  [[noreturn]] void fail_as_too_long(uint64_t promised) const;

 private:
  [[noreturn]] void fail(const std::string& cause) const;

  std::string name_;
  std::filesystem::path path_;
  void* file_ = nullptr;        // the open file; or
  std::vector<uint8_t> bytes_;  // bytes in memory
  uint64_t position_ = 0;
};

/// Throws Failure(bad_data) with the message "FILE: cause".
[[noreturn]] void fail_in(const std::filesystem::path& file, const std::string& cause);

std::vector<uint8_t> read_file(const std::filesystem::path& path);

/// Writes a temporary file and renames it, so that `path` is either complete or unchanged.
/// Failure(cannot_write) with the path and the system's message.
void write_file(const std::filesystem::path& path, const std::vector<uint8_t>& bytes);

}  // namespace data
