// Sums over discrete variables instead of draws of them. In: conditionals in the order in which they would
// draw. Out: the conditionals whose targets are summed over, and every joint state of these targets.
#pragma once
#include <optional>
#include <set>
#include <vector>

#include "runtime/core/inference/sampler.h"

namespace core {

/// The number of states of a variable's tensor if its domain is `binary` or `category`. Nothing for other
/// domains, or if there are more than 4096 states.
std::optional<int64_t> states_of(const Variable& variable);

class Enumerated {
 public:
  /// Goes through `conditionals`, parents first, and takes a conditional if its target has finitely many
  /// values and its parents are known or already taken. Skips a conditional that would bring the joint number
  /// of states above 4096. Variables in `drawn` are never taken.
  Enumerated(const Image& image, const std::vector<int>& conditionals, const std::set<int>& known,
             const std::set<int>& drawn);

  bool empty() const { return conditionals_.empty(); }
  const std::vector<int>& conditionals() const { return conditionals_; }
  const std::set<int>& variables() const { return variables_; }
  int64_t states() const { return states_; }
  /// Writes state `index` into `values`, the same for all rows.
  void put(int64_t index, int64_t rows, Values& values) const;
  /// Per row: the log-probability that the conditionals give to the state in `values`.
  std::vector<double> log_probability(Sampler& sampler, const Values& values, int64_t rows) const;

 private:
  const Image* image_;
  std::vector<int> conditionals_;
  std::set<int> variables_;
  int64_t states_ = 1;
};

}  // namespace core
