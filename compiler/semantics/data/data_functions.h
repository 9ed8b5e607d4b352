// The readers and table operations that sources may name: their arguments, and the columns of their tables if
// the compiler can know them. The runtime implements them (runtime/data).
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
  character,  // a character that can separate cells
  columns,    // names, or numbers from 0
  string_or_none,
  peer_name  // the part of a flag before `=`
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
  std::vector<std::string> columns;              // of a reader; empty if not known here
  MissingValues missing = MissingValues::never;  // of a reader: whether values may be missing in its files
};

const DataFunction* find_data_function(const std::string& name);
std::vector<std::string> data_function_names();

/// The data operation of an operator (`<` is `less`) or of an element-wise function (`exp`), and its number
/// of operands. None if there is no such operation on data.
struct DataOperation {
  std::string name;  // as in operations.def, or a function of the language
  int operands = 0;
  std::string parameter = {};  // an optional last operand, given by place or by this name; empty if none
  double otherwise = 0;        // the parameter's value if the file gives none
  bool folds = false;          // allows more operands: op(op(a, b), c)
};
std::optional<DataOperation> data_operator(const std::string& text, bool unary);
std::optional<DataOperation> data_elementwise(const std::string& function);

}  // namespace semantics
