// Draws and means of variables given others, by a plan. What stands before the plan's first chain is drawn
// once; from there on every sweep runs each chain once through its players in random order (one order a
// sweep, the same for all rows) and makes the direct draws after it anew. What is known stays as it is.
#pragma once
#include <map>
#include <vector>

#include "runtime/core/enumerated.h"
#include "runtime/core/mixing.h"
#include "runtime/core/plan.h"
#include "runtime/core/sampler.h"

namespace core {

/// What is known of some rows.
struct Evidence {
  Values values;
  /// Of variables known in part: 1 where an element is known, as many floats as in `values`.
  Values masks;
};

struct Effort {
  int64_t sweeps = 100;  // of each chain; the first half is left out of means
  int64_t chains = 2;    // of each row
  int64_t samples = 1;   // repetitions of it all, over which means are taken

  int64_t left_out() const { return sweeps / 2; }
  int64_t kept() const { return sweeps - left_out(); }
};

struct Answer {
  Values means;
  Values draws;  // per target, sample by sample: of its first chain the last state
};

class Conditioner {
 public:
  /// `drawn`: discrete variables that are drawn where means could sum over them.
  Conditioner(Sampler& sampler, const Image& image, Plan plan, const Effort& effort, uint64_t seed,
              const std::set<int>& drawn = {});

  const Plan& plan() const { return plan_; }
  /// What means sum over in place of draws: discrete variables that others are drawn from, in plans without a
  /// chain.
  const std::set<int>& summed() const { return summed_.variables(); }
  /// Whether means hold no draws.
  bool is_exact() const;
  const Effort& effort() const { return effort_; }
  bool has_chain() const { return plan_.first_chain() < plan_.steps.size(); }

  /// Per target the mean of E[target | parents] over samples, chains and kept sweeps, summed over summed();
  /// over draws where the family gives no mean. Elements that are known stay. Only the first `counted` rows
  /// count for mixing().
  Answer answer(const Evidence& evidence, const std::vector<int>& targets, int64_t rows, int64_t counted);
  /// One draw of every variable of the plan, by one chain a row: its last state.
  Values draw(const Evidence& evidence, int64_t rows);

  /// Per variable of a chain, over all that answer() has seen: of the conditional means of targets, else of
  /// the draws, along a fixed direction of +-1.
  std::map<int, Mixing> mixing() const;

 private:
  struct Sums;
  /// The rows' evidence, copied for each chain.
  Evidence copies(const Evidence& evidence, int64_t chains) const;
  void start(const Evidence& evidence, Values& state, int64_t rows);
  void draw_one(int conditional, const Evidence& evidence, Values& state, int64_t rows, Sums* sums);
  /// Direct steps [from, to).
  void follow(size_t from, size_t to, const Evidence& evidence, Values& state, int64_t rows, Sums* sums);
  void sweep(const Evidence& evidence, Values& state, int64_t rows, Sums* sums);
  /// The means of `targets` as sums over all states of summed().
  Values sum_over_states(const Evidence& evidence, const std::vector<int>& targets, int64_t rows);
  void measure_mixing(const Sums& sums, int64_t rows, int64_t counted);
  /// Before the first chain.
  bool drawn_once(int variable) const;
  void keep_known(int variable, const Evidence& evidence, std::vector<float>& values) const;
  const Conditional& conditional(int index) const { return image_.conditionals[static_cast<size_t>(index)]; }

  Sampler& sampler_;
  const Image& image_;
  Plan plan_;
  Effort effort_;
  Enumerated summed_;
  uint64_t seed_, sweeps_done_ = 0;
  std::map<int, MixingMeter> meters_;
};

}  // namespace core
