#include "runtime/data/cells/csv_cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

/// Removes the spaces around a cell, including tabs. They are not part of it.
void trim(std::string& text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && space(text.back())) text.pop_back();
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), space));
}

}  // namespace

CsvCells::CsvCells(std::string name, const std::vector<uint8_t>& bytes, const CsvFormat& format)
    : name_(std::move(name)),
      text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
      format_(format) {
  refuse_other_texts();
  if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
}

void CsvCells::fail(int64_t line, const std::string& cause) const {
  throw Failure(Exit::bad_data, fmt::format("{}: line {}: {}", name_, line, cause));
}

void CsvCells::refuse_other_texts() const {
  const auto refuse = [&](const char* cause) { fail_in(name_, cause); };
  if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff"))
    refuse("the text is UTF-16, which is not read; convert it to UTF-8, as with `iconv -f UTF-16 -t UTF-8`");
  constexpr size_t looked_at = 1 << 12;
  const std::string_view beginning = text_.substr(0, looked_at);
  const auto zeros = static_cast<size_t>(std::count(beginning.begin(), beginning.end(), '\0'));
  if (zeros > 0 && zeros >= beginning.size() / 4)
    refuse(
        "the text seems to be UTF-16, for it holds zero bytes; convert it to UTF-8, as with "
        "`iconv -f UTF-16LE -t UTF-8`");
  if (zeros > 0) refuse("holds zero bytes and is no text");
  if (text_.find('\n') == std::string_view::npos && text_.find('\r') != std::string_view::npos)
    refuse("its lines end with CR alone, which is not read; convert them to LF, as with `tr '\\r' '\\n'`");
}

void CsvCells::skip_comment() {
  commented_ = true;
  at_ = std::min(text_.find('\n', at_), text_.size());
}

/// Reads one cell. Returns whether the cell is the last of its row.
bool CsvCells::next_cell(std::string& text) {
  text.clear();
  const int64_t first_line = line_;
  bool quoted = false;
  for (; at_ < text_.size(); ++at_) {
    if (!quoted && !format_.comment.empty() && text_.substr(at_).starts_with(format_.comment)) skip_comment();
    if (at_ == text_.size()) break;
    const char c = text_[at_];
    if (c == '\n') ++line_;
    if (quoted) {
      if (c != '"') {
        text += c;
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        text += c;
        ++at_;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == format_.separator || c == '\n') {
      ++at_;
      trim(text);
      return c == '\n';
    } else {
      text += c;
    }
  }
  if (quoted) fail(first_line, "a quote does not end");
  trim(text);
  return true;
}

bool CsvCells::next_row(std::vector<std::string>& cells) {
  while (at_ < text_.size()) {
    cells.clear();
    commented_ = false;
    row_line_ = line_;
    for (bool last = false; !last;) last = next_cell(cells.emplace_back());
    // A line with nothing but a comment, perhaps after spaces, is not a row.
    if (!(commented_ && cells.size() == 1 && cells[0].empty())) return true;
  }
  return false;
}

}  // namespace data
