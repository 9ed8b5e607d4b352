// A file, plain or gzip, read forwards as its uncompressed bytes.
// No more is allocated than the file really holds, whatever a header promises. Failures: missing_input (66)
// where it cannot be opened, bad_data (65) where the stream is truncated, corrupt, or shorter or longer than
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
  /// Bytes that are there already; `name` names them in failures, `file` is what they were read from.
  ByteSource(std::vector<uint8_t> bytes, std::string name, std::filesystem::path file);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Exactly `count` bytes, appended to `bytes`; `what` names them in a failure.
  void read(std::vector<uint8_t>& bytes, uint64_t count, const std::string& what);
  /// All that is left.
  std::vector<uint8_t> read_rest();
  /// Failure unless everything is read and the checksum, if there is one, is right.
  void expect_end();
  /// At most `count` bytes; 0 only at the end.
  uint64_t read_some(uint8_t* bytes, uint64_t count);
  /// Whether the file itself holds the bytes that are read here; known once some are read.
  bool is_plain() const;
  /// Bytes read so far.
  uint64_t position() const { return position_; }
  const std::string& name() const { return name_; }
  const std::filesystem::path& file() const { return path_; }
  [[noreturn]] void fail_as_too_short(const std::string& what, uint64_t count) const;
  [[noreturn]] void fail_as_too_long(uint64_t promised) const;

 private:
  [[noreturn]] void fail(const std::string& cause) const;

  std::string name_;
  std::filesystem::path path_;
  void* file_ = nullptr;        // or
  std::vector<uint8_t> bytes_;  // these
  uint64_t position_ = 0;
};

/// Failure(bad_data), "FILE: cause".
[[noreturn]] void fail_in(const std::filesystem::path& file, const std::string& cause);

std::vector<uint8_t> read_file(const std::filesystem::path& path);

/// The file appears whole under its name or not at all: it is written aside, then renamed.
/// Failure(cannot_write) with the path and what the system said.
void write_file(const std::filesystem::path& path, const std::vector<uint8_t>& bytes);

}  // namespace data
