#include "compiler/base/source.h"

#include <algorithm>

#include "runtime/shared/printable.h"

namespace base {

Span join(Span first, Span last) { return {first.file, first.begin, std::max(first.end, last.end)}; }

FileId SourceSet::add(std::string name, std::string text, bool library) {
  SourceFile file{std::move(name), std::move(text), {0}, library};
  for (size_t i = 0; i < file.text.size(); ++i)
    if (file.text[i] == '\n') file.line_starts.push_back(static_cast<uint32_t>(i + 1));
  files_.push_back(std::move(file));
  return {static_cast<int32_t>(files_.size() - 1)};
}

Place SourceSet::place(FileId id, uint32_t offset) const {
  const SourceFile& source = file(id);
  offset = std::min(offset, static_cast<uint32_t>(source.text.size()));
  const auto after = std::upper_bound(source.line_starts.begin(), source.line_starts.end(), offset);
  const uint32_t start = *(after - 1);
  int column = 1;
  // Every code point has exactly one byte that is not a continuation byte.
  for (uint32_t i = start; i < offset; ++i) column += (source.text[i] & 0xC0) != 0x80;
  return {static_cast<int>(after - source.line_starts.begin()), column};
}

std::string_view SourceSet::text(Span span) const {
  const std::string_view text = file(span.file).text;
  const size_t begin = std::min<size_t>(span.begin, text.size());
  return text.substr(begin, span.end > begin ? span.end - begin : 0);
}

std::string_view SourceSet::line(FileId id, int line) const {
  const SourceFile& source = file(id);
  const size_t index = static_cast<size_t>(line - 1);
  const size_t begin = source.line_starts[index];
  size_t end = index + 1 < source.line_starts.size() ? source.line_starts[index + 1] - 1 : source.text.size();
  if (end > begin && source.text[end - 1] == '\r') --end;
  return std::string_view(source.text).substr(begin, end - begin);
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = first_code_point(text.substr(i)).bytes;
    if (bytes == 0) return i;
    i += bytes;
  }
  return std::nullopt;
}

}  // namespace base
