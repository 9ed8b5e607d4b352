// Optimizers: one sweep over the flat array of a player's parameters, which maximizes the player's utility.
// The state of an element is at the same offset as the element, so that a checkpoint names it like its
// parameter. Formulas as in PyTorch (adam without weight decay, adamw decoupled, sgd with momentum); the bias
// correction is computed in double.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/machine/memory.h"

namespace core {

struct OptimizerSettings {
  std::string kind = "adam";  // adam, adamw, sgd, none
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, momentum = 0;
};

class Optimizer {
 public:
  Optimizer(const Player& player, const OptimizerSettings& settings);

  /// One step along `gradient` (uphill). `rate` multiplies the learning rate. `clip` > 0 limits the
  /// gradient's norm.
  void update(float* parameters, const float* gradient, double rate, double clip);

  /// The numbers of the `update`-th update, counted from 1: beta1, beta2, eps, learning rate, 1 / root of the
  /// second correction, share of a parameter that stays, momentum.
  using Numbers = std::array<float, 7>;
  Numbers numbers(int64_t update, double rate) const;
  const OptimizerSettings& settings() const { return settings_; }
  /// The ranges [begin, end) of the parameters, without the gaps between them.
  std::vector<std::pair<int64_t, int64_t>> ranges() const;

  /// The state by PyTorch's names ("exp_avg", "exp_avg_sq", "momentum_buffer"), each laid out as the player's
  /// parameters.
  std::map<std::string, float*> state() const;
  int64_t steps = 0;  // how many steps are done
  /// How many bytes one step reads and writes.
  double bytes() const;

 private:
  struct Range {
    int64_t begin, end;
  };
  OptimizerSettings settings_;
  /// Of parameters, without the gaps between them; cut into pieces for the threads
  std::vector<Range> ranges_;
  int64_t floats_ = 0;
  bool parallel_ = false;
  Floats first_, second_;
  std::vector<double> squares_;  // sums of squares of the gradient, per range
};

/// The factor of the learning rate at step `step` (from 0) of `steps`.
struct RateSchedule {
  std::string kind = "constant";  // constant, cosine, step
  double warmup = 0, every = 0, factor = 1;
  double rate(int64_t step, int64_t steps) const;
};

}  // namespace core
