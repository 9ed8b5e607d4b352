// Splits a text file of rows into cells: separators, quotes as in RFC 4180, comments. Failure(bad_data) for
// text in UTF-16, zero bytes, or lines that end with CR alone, and, with the line, for a quote that does not
// end.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace data {

struct CsvFormat {
  char separator = ',';
  std::string comment;                      // begins a comment outside of quotes; empty: no comments
  std::vector<std::string> missing = {""};  // texts of cells that are missing values; NaN is always one
  bool header = true;
};

class CsvCells {
 public:
  /// `bytes` must outlive the cells.
  CsvCells(std::string name, const std::vector<uint8_t>& bytes, const CsvFormat& format);

  /// The cells of the next line that is not a comment; false at the end.
  bool next_row(std::vector<std::string>& cells);
  /// The number of the line in which the last row began, counted from 1.
  int64_t line() const { return row_line_; }
  [[noreturn]] void fail(int64_t line, const std::string& cause) const;

 private:
  void refuse_other_texts() const;
  bool next_cell(std::string& text);
  void skip_comment();

  std::string name_;
  std::string_view text_;
  const CsvFormat& format_;
  size_t at_ = 0;
  int64_t line_ = 1, row_line_ = 1;
  bool commented_ = false;  // the row ended with a comment
};

}  // namespace data
