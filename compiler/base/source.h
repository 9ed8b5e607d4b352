// Source text and places in it. In: files or strings. Out: a SourceSet that owns their text, and Spans
// (half-open byte ranges) into it. Lines and columns count from 1; columns are in code points.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

struct FileId {
  int32_t index = -1;
  bool operator==(const FileId&) const = default;
};

/// Bytes [begin, end) of one file.
struct Span {
  FileId file;
  uint32_t begin = 0;
  uint32_t end = 0;
  bool operator==(const Span&) const = default;
};

/// The span from the beginning of `first` to the end of `last`. Both must lie in one file.
Span join(Span first, Span last);

struct Place {
  int line = 0;    // from 1
  int column = 0;  // from 1, in code points
};

struct SourceFile {
  std::string name;  // as shown in messages
  std::string text;  // valid UTF-8 (checked by syntax::parse)
  std::vector<uint32_t> line_starts;
  bool library = false;  // a file of stdlib, which the user did not write and cannot change
};

class SourceSet {
 public:
  FileId add(std::string name, std::string text, bool library = false);
  const SourceFile& file(FileId id) const { return files_[static_cast<size_t>(id.index)]; }
  Place place(FileId id, uint32_t offset) const;
  std::string_view text(Span span) const;
  std::string_view line(FileId id, int line) const;  // without its newline
  size_t size() const { return files_.size(); }

 private:
  std::vector<SourceFile> files_;
};

/// The byte offset of the first invalid UTF-8 sequence, if any.
std::optional<size_t> find_invalid_utf8(std::string_view text);

}  // namespace base
