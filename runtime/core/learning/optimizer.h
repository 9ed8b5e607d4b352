// Optimizers: one flat sweep over all of a player's parameters, which maximize the player's utility.
// The state of an element is at its parameter's place, so that a checkpoint names it as the parameter.
// Formulas as PyTorch's (adam without weight decay, adamw decoupled, sgd with momentum), bias corrected in
// double.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/memory.h"

namespace core {

struct OptimizerSettings {
  std::string kind = "adam";  // adam, adamw, sgd, none
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, momentum = 0;
};

class Optimizer {
 public:
  Optimizer(const Player& player, const OptimizerSettings& settings);

  /// One step along `gradient` (ascending); `rate` multiplies the learning rate. `clip` > 0 bounds the
  /// gradient's norm.
  void update(float* parameters, const float* gradient, double rate, double clip);

  /// beta1, beta2, eps, learning rate, 1 / root of the second correction, share of a parameter that stays,
  /// momentum: the numbers of the `update`-th update, from 1.
  using Numbers = std::array<float, 7>;
  Numbers numbers(int64_t update, double rate) const;
  const OptimizerSettings& settings() const { return settings_; }
  /// Where the parameters lie, without the gaps between them: [begin, end) each.
  std::vector<std::pair<int64_t, int64_t>> ranges() const;

  /// State by PyTorch's names ("exp_avg", "exp_avg_sq", "momentum_buffer"), each as the player's parameters.
  std::map<std::string, float*> state() const;
  int64_t steps = 0;  // done
  /// That one step reads and writes.
  double bytes() const;

 private:
  struct Range {
    int64_t begin, end;
  };
  OptimizerSettings settings_;
  std::vector<Range> ranges_;  // of parameters, without the gaps between them; in pieces for the threads
  int64_t floats_ = 0;
  bool parallel_ = false;
  Floats first_, second_;
  std::vector<double> squares_;  // of the gradient, per range
};

/// What multiplies the learning rate at step `step` (from 0) of `steps`.
struct RateSchedule {
  std::string kind = "constant";  // constant, cosine, step
  double warmup = 0, every = 0, factor = 1;
  double rate(int64_t step, int64_t steps) const;
};

}  // namespace core
