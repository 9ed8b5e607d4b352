// What runtime/schema/elementwise.def says about each operation that works element by element.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/semantics/graph/graph.h"

namespace semantics {

/// How files write an operation.
struct Notation {
  enum class Kind { unwritten, function, family_function, infix, prefix } kind;
  const char* name = "";        // of the function, or the sign
  const char* parameters = "";  // of the function, as in Builtin

  static constexpr Notation unwritten() { return {Kind::unwritten}; }
  static constexpr Notation function(const char* name, const char* parameters) {
    return {Kind::function, name, parameters};
  }
  static constexpr Notation family_function(const char* name, const char* parameters) {
    return {Kind::family_function, name, parameters};
  }
  static constexpr Notation infix(const char* sign) { return {Kind::infix, sign}; }
  static constexpr Notation prefix(const char* sign) { return {Kind::prefix, sign}; }
  /// Whether the function folds any number of values.
  constexpr bool folds() const { return std::string_view(parameters).ends_with('*'); }
};

enum class Cost { cheap, costly, call };

struct Elementwise {
  Op op;
  Notation notation;
  Cost cost;
  bool is_truth;  // the result is always 0 or 1
  std::string_view sentence;
};

/// In the order of Op.
const std::vector<Elementwise>& elementwise_operations();
/// `op` must be of the group pointwise.
const Elementwise& elementwise_operation(Op op);
/// Whether the result is always 0 or 1. False for operations of other groups.
bool is_truth(Op op);
/// The operation that files write with this sign.
std::optional<Op> find_operator(std::string_view sign, Notation::Kind kind);

/// A function that the compiler makes of operations.
struct Composed {
  const char* name;
  const char* parameters;
  double otherwise;  // the value of a parameter that was left out
  std::string_view sentence;
};
const std::vector<Composed>& composed_functions();

}  // namespace semantics
