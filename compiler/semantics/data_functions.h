// The readers and table operations that sources may name: their arguments and, where the compiler can know
// them, the columns that they give. What they do is the runtime's (runtime/data).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/semantics/missing_values.h"

namespace semantics {

enum class ArgumentKind {
  string,
  integer,
  real,
  boolean,
  strings,
  sizes,
  split,
  data,
  character,  // one that can stand between cells
  columns,    // names, or numbers from 0
  string_or_none,
  peer_name  // a word that stands before `=` in a flag
};

struct DataArgument {
  std::string name;
  ArgumentKind kind;
  bool required = true;
};

struct DataFunction {
  enum class Kind { reader, table_operation, noise } kind;
  std::string name;
  std::vector<DataArgument> arguments;
  std::vector<std::string> columns;              // of a reader; empty: not known here
  MissingValues missing = MissingValues::never;  // of a reader: whether its files leave values out
};

const DataFunction* find_data_function(const std::string& name);
std::vector<std::string> data_function_names();

/// The data operation of an operator (`<` is `less`) or an element-wise function (`exp`), and how many
/// operands it takes; none if there is no such operation on data.
struct DataOperation {
  const char* name;  // as in operations.def, or a function of section 6
  int operands;
  const char* parameter = nullptr;  // one operand more, by place or by this name
  double otherwise = 0;             // what it is where the file does not say
  bool folds = false;               // takes more operands too: op(op(a, b), c)
};
std::optional<DataOperation> data_operator(const std::string& text, bool unary);
std::optional<DataOperation> data_elementwise(const std::string& function);

}  // namespace semantics
