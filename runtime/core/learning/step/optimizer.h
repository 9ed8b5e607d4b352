// The optimizer of one player: which program of the image an update is, and the numbers that each update
// takes. In: the player and its settings. It does not change; its state is apart.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/machine/memory.h"

namespace core {

/// What an optimizer keeps of one player.
struct OptimizerState {
  /// By PyTorch's names ("exp_avg", "exp_avg_sq", "momentum_buffer"), each laid out as the player's
  /// parameters.
  std::map<std::string, Floats> moments;
  int64_t updates = 0;  // how many are done
};

class Optimizer {
 public:
  /// `clip` > 0 limits the gradient's norm.
  Optimizer(const Image& image, const Player& player, const OptimizerSettings& settings, double clip = 0);

  /// The program of an update (compiler/tensor/build/build_update.h); null if the player does not learn.
  const Program* program() const { return program_; }
  double clip() const { return clip_; }
  /// How many floats the player's flat array has.
  int64_t elements() const { return elements_; }
  /// The state before the first update: zeros.
  OptimizerState initial_state() const;

  /// How many numbers an update takes, and those of the `update`-th update, counted from 1, in the order of
  /// numbers_of. `rate` multiplies the learning rate.
  size_t number_count() const { return names_.size(); }
  void write_numbers(int64_t update, double rate, float* to) const;

  /// How many bytes one update reads and writes.
  double bytes() const;

 private:
  double number(const std::string& name, int64_t update, double rate) const;

  OptimizerSettings settings_;
  double clip_;
  int64_t elements_;
  const Program* program_ = nullptr;
  std::vector<std::string> names_;  // of the numbers
};

/// The optimizers of all players, in their order.
std::vector<Optimizer> optimizers_of(const Image& image, const Settings& settings);

}  // namespace core
