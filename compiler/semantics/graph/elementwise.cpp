#include "compiler/semantics/graph/elementwise.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "compiler/semantics/graph/special_functions.h"

namespace semantics {

const std::vector<Elementwise>& elementwise_operations() {
  // These stand for the inputs: the type of a value shows whether it is a truth.
  [[maybe_unused]] constexpr double a = 0, b = 0, c = 0;
  static const std::vector<Elementwise> table = {
#define ELEMENTWISE(name, inputs, notation, cost, value, torch, onnx, sentence) \
  {Op::name, Notation::notation, Cost::cost, std::is_same_v<decltype(value), bool>, sentence},
#include "runtime/schema/elementwise.def"
  };
  return table;
}

const Elementwise& elementwise_operation(Op op) {
  const std::vector<Elementwise>& table = elementwise_operations();
  return table[static_cast<size_t>(op) - static_cast<size_t>(table[0].op)];
}

bool is_truth(Op op) { return info(op).group == OpGroup::pointwise && elementwise_operation(op).is_truth; }

std::optional<Op> find_operator(std::string_view sign, Notation::Kind kind) {
  const auto& table = elementwise_operations();
  const auto found = std::ranges::find_if(table, [&](const Elementwise& operation) {
    return operation.notation.kind == kind && operation.notation.name == sign;
  });
  if (found == table.end()) return {};
  return found->op;
}

const std::vector<Composed>& composed_functions() {
  static const std::vector<Composed> table = {
#define ELEMENTWISE(...)
#define COMPOSED(name, parameters, otherwise, value, sentence) {#name, parameters, otherwise, sentence},
#include "runtime/schema/elementwise.def"
  };
  return table;
}

}  // namespace semantics
