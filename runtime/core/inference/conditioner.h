// Draws and means of variables given others, by a plan. The steps before the plan's first chain are drawn
// once. After that, each sweep runs every chain once, its players in random order (one order per sweep, the
// same for all rows), and then repeats the direct draws that follow the chain. Known values do not change.
#pragma once
#include <map>
#include <vector>

#include "runtime/core/inference/enumerated.h"
#include "runtime/core/inference/mixing.h"
#include "runtime/core/inference/plan.h"
#include "runtime/core/inference/sampler.h"

namespace core {

class Ranks;

/// What is known of some rows.
struct Evidence {
  Values values;
  /// For variables that are known in part: 1 where an element is known, as many floats as in `values`.
  Values masks;
};

struct Effort {
  int64_t sweeps = 100;  // of each chain; means leave out the first half
  int64_t chains = 2;    // for each row
  int64_t samples = 1;   // repetitions of all this, over which means are taken

  int64_t left_out() const { return sweeps / 2; }
  int64_t kept() const { return sweeps - left_out(); }
};

struct Answer {
  Values means;
  Values draws;  // per target, one sample after the other; with chains: the last state of the first chain
};

class Conditioner {
 public:
  /// `drawn`: discrete variables that are drawn even if means could sum over them.
  Conditioner(Sampler& sampler, const Image& image, Plan plan, const Effort& effort, uint64_t seed,
              const std::set<int>& drawn = {});

  const Plan& plan() const { return plan_; }
  /// The discrete variables that means sum over instead of drawing them. Other variables are drawn from
  /// these. Empty if the plan has a chain.
  const std::set<int>& summed() const { return summed_.variables(); }
  /// Whether means involve no draws.
  bool is_exact() const;
  const Effort& effort() const { return effort_; }
  bool has_chain() const { return plan_.first_chain() < plan_.steps.size(); }

  /// Per target: the mean of E[target | parents] over samples, chains and kept sweeps, summed over the states
  /// of summed(). If the family has no mean, draws are averaged instead. Known elements keep their values.
  /// Only the first `counted` rows count for mixing().
  Answer answer(const Evidence& evidence, const std::vector<int>& targets, int64_t rows, int64_t counted);
  /// One draw of every variable of the plan. If the plan has chains: the last state of one chain per row.
  Values draw(const Evidence& evidence, int64_t rows);

  /// How well each variable of a chain has converged, over all rows that answer() has seen. Measured on a
  /// projection along a fixed direction of +-1: of the conditional mean if the variable is a target, else of
  /// the draws.
  std::map<int, Mixing> mixing() const;
  /// How many sweeps have been made: they decide the orders of the next ones.
  uint64_t sweeps_done() const { return sweeps_done_; }
  void set_sweeps_done(uint64_t sweeps) { sweeps_done_ = sweeps; }
  /// Takes what the ranks have measured for mixing(), whose calls of answer() were shares of those of one
  /// rank, in order. All ranks must call it.
  void join_mixing(Ranks& ranks);

 private:
  struct Sums;
  /// The rows' evidence, repeated for each chain.
  Evidence copies(const Evidence& evidence, int64_t chains) const;
  void start(const Evidence& evidence, Values& state, int64_t rows);
  void draw_one(int conditional, const Evidence& evidence, Values& state, int64_t rows, Sums* sums);
  /// Runs the direct steps [from, to).
  void follow(size_t from, size_t to, const Evidence& evidence, Values& state, int64_t rows, Sums* sums);
  void sweep(const Evidence& evidence, Values& state, int64_t rows, Sums* sums);
  /// The means of `targets` as sums over all states of summed().
  Values sum_over_states(const Evidence& evidence, const std::vector<int>& targets, int64_t rows);
  void measure_mixing(const Sums& sums, int64_t rows, int64_t counted);
  /// Whether the variable is drawn before the first chain.
  bool drawn_once(int variable) const;
  void keep_known(int variable, const Evidence& evidence, std::vector<float>& values) const;
  const Conditional& conditional(int index) const { return image_.conditionals[static_cast<size_t>(index)]; }

  Sampler& sampler_;
  const Image& image_;
  Plan plan_;
  Effort effort_;
  Enumerated summed_;
  uint64_t seed_, sweeps_done_ = 0;
  std::map<int, MixingMeter> meters_;  // without rows
  // Of each call of answer() that counts rows: added in order, so that the sums do not depend on ranks.
  std::map<int, std::vector<MixingMeter>> measured_;
};

}  // namespace core
