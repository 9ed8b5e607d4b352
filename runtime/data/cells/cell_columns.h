// Columns of text cells. A column is numbers, or words if some cell is not a number. Which of the two is
// known only after the last cell. A column of words is then filled a second time.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/data/table.h"

namespace data {

/// Whether the whole text is a number; `value` gets the number.
bool parse_number(std::string_view text, float& value);

/// Numbers the words of a column in the order in which they come; sorted() changes that to alphabetical
/// order.
class WordIndex {
 public:
  float place(const std::string& word) {
    return static_cast<float>(places_.emplace(word, places_.size()).first->second);
  }
  /// The words in alphabetical order. Each number in `values` is replaced by the word's place in that order.
  std::shared_ptr<const std::vector<std::string>> sorted(std::vector<float>& values) const;

 private:
  std::map<std::string, size_t> places_;
};

struct CellColumn {
  std::string name;
  std::string unusable;
  std::string no_number;  // describes the first cell that is not a number
  bool is_text = false;
  std::vector<float> values;

  /// Starts the second pass if some cell is not a number. Returns false if no second pass is needed.
  bool begin_words();
  void add_missing();
  /// Returns false if this is the first cell of the column that is not a number. The caller must then set
  /// `no_number`.
  bool add(const std::string& cell);
  /// The filled column. Its values are moved out of this object.
  Column finish();

 private:
  WordIndex index_;
};

}  // namespace data
