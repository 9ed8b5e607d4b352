// Slow evaluation in double precision. In: a graph and a value for each leaf. Out: the row-major values of a
// node. It serves constant folding, the numeric check of families, and tests. (Compiled programs are compared
// with the interpreter in tensor/.)
#pragma once
#include <functional>
#include <random>
#include <unordered_map>
#include <vector>

#include "compiler/semantics/graph/graph.h"

namespace semantics {

using Numbers = std::vector<double>;

/// A pointwise operation on scalars; unused inputs are ignored.
double apply(Op op, double a, double b = 0, double c = 0);

/// single: every value is rounded to 32 bits, as in executables.
enum class Precision { full, single };

class NumericEvaluator {
 public:
  /// `leaf` gives the values of variables, parameters and columns.
  NumericEvaluator(const Graph& graph, std::function<Numbers(const Node&)> leaf, uint64_t seed = 0,
                   Precision precision = Precision::full)
      : graph_(graph), leaf_(std::move(leaf)), rng_(seed), precision_(precision) {}
  /// A reference into this evaluator; from a temporary evaluator a copy, which outlives it.
  const Numbers& operator()(NodeId id) &;
  Numbers operator()(NodeId id) && { return (*this)(id); }

 private:
  Numbers compute(const Node& node);
  double draw(const Node& node, size_t element);
  const Graph& graph_;
  std::function<Numbers(const Node&)> leaf_;
  std::mt19937_64 rng_;
  Precision precision_;
  std::unordered_map<int32_t, Numbers> values_;
};

}  // namespace semantics
