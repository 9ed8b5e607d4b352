// Columns of cells that are text: numbers, or words where some cell is no number. Which it is, is known after
// the last cell; a column of words is then filled once more.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/data/table.h"

namespace data {

/// Whether the whole text is a number.
bool parse_number(std::string_view text, float& value);

/// Numbers the words of a column as they come; sorted() then gives them in order.
class WordIndex {
 public:
  float place(const std::string& word) {
    return static_cast<float>(places_.emplace(word, places_.size()).first->second);
  }
  /// The words in order; `values` become places among them.
  std::shared_ptr<const std::vector<std::string>> sorted(std::vector<float>& values) const;

 private:
  std::map<std::string, size_t> places_;
};

struct CellColumn {
  std::string name;
  std::string unusable;
  std::string no_number;  // the first cell that is none, where it stands
  bool is_text = false;
  std::vector<float> values;

  /// Begins anew, as words where a cell is no number; false where nothing more can be learned.
  bool begin_words();
  void add_missing();
  /// False where this is the first cell of the column that is no number: `no_number` is then to be set.
  bool add(const std::string& cell);
  /// Moves the values out.
  Column finish();

 private:
  WordIndex index_;
};

}  // namespace data
