// Sums over discrete variables in place of draws of them. In: conditionals in the order in which they would
// draw. Out: those whose targets are summed over, and every state of these together.
#pragma once
#include <optional>
#include <set>
#include <vector>

#include "runtime/core/sampler.h"

namespace core {

/// States of a variable's tensor: of `binary` and `category`; nothing where there are none or more than
/// 4096.
std::optional<int64_t> states_of(const Variable& variable);

class Enumerated {
 public:
  /// Takes of `conditionals`, parents first, each whose target has finitely many values and whose parents
  /// are known or taken before, while all together have at most 4096 states. `drawn`: variables that are
  /// drawn all the same.
  Enumerated(const Image& image, const std::vector<int>& conditionals, const std::set<int>& known,
             const std::set<int>& drawn);

  bool empty() const { return conditionals_.empty(); }
  const std::vector<int>& conditionals() const { return conditionals_; }
  const std::set<int>& variables() const { return variables_; }
  int64_t states() const { return states_; }
  /// Puts state `index` into `values`, the same for all rows.
  void put(int64_t index, int64_t rows, Values& values) const;
  /// log of the probability that the conditionals give the state in `values`, a row each.
  std::vector<double> log_probability(Sampler& sampler, const Values& values, int64_t rows) const;

 private:
  const Image* image_;
  std::vector<int> conditionals_;
  std::set<int> variables_;
  int64_t states_ = 1;
};

}  // namespace core
