// The words of a file, for editors, in which a file may be unfinished. In: a file of a SourceSet (valid
// UTF-8). Out: its words in order, even if they make no valid program. Nothing is reported.
#pragma once
#include <string_view>
#include <vector>

#include "compiler/base/source.h"

namespace syntax {

struct Word {
  enum class Kind { name, reserved, number, string, comment, newline, symbol } kind;
  base::Span span;
};

std::vector<Word> words(base::FileId file, const base::SourceSet& sources);

/// Whether `text` is one name that a file may declare: letters, digits, `_`, and not reserved.
bool is_identifier(std::string_view text);

/// The words that begin a declaration; and the words that begin a statement or occur in expressions.
const std::vector<std::string_view>& declaration_words();
const std::vector<std::string_view>& statement_words();

}  // namespace syntax
