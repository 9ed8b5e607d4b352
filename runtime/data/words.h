// Words as classes: what a column of words is to a variable of classes.
// Failure(bad_data): a word that is no class, another number of words than of classes; it names the row and
// the word.
#pragma once
#include <string>
#include <vector>

#include "runtime/data/table.h"

namespace data {

struct VariableSpec;

/// Columns of words side by side, as vectors of places in one sorted list of all their words.
Column joined_words(const std::vector<Column>& columns, const std::string& origin);

/// Words and cells of a text file as class indices of `variable`; of other variables the column as it is,
/// which must be numbers. `described`: the variable and the column, for messages.
Column classes_of(const Column& column, const VariableSpec& variable, const std::string& described);

/// `"north", "south"`, the first few.
std::string listed_words(const std::vector<std::string>& words);

}  // namespace data
