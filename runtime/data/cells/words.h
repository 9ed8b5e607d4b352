// Converts columns of words to class indices for variables of classes. Failure(bad_data) if a word is not a
// class (naming the row and the word), or if the number of words differs from the number of classes.
#pragma once
#include <string>
#include <vector>

#include "runtime/data/table.h"

namespace data {

struct VariableSpec;

/// Joins columns of words into vectors. Their values are places in one sorted list of all words.
Column joined_words(const std::vector<Column>& columns, const std::string& origin);

/// For a variable of classes: words, or cells of a text file, as class indices. For any other variable: the
/// column unchanged; it must be numbers. `described` names the variable and the column in messages.
Column classes_of(const Column& column, const VariableSpec& variable, const std::string& described);

/// The first few words in quotes: `"north", "south"`.
std::string listed_words(const std::vector<std::string>& words);

}  // namespace data
