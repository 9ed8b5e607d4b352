// The optimizer of one player: its settings, its state, and the numbers of each update. The image holds what
// an update computes (compiler/tensor/build/build_update.h). The state of an element is at the same offset as
// the element, so that a checkpoint names it like its parameter.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/learning/update_runner.h"
#include "runtime/core/machine/memory.h"
#include "runtime/schema/settings.h"

namespace core {

class Optimizer {
 public:
  /// `clip` > 0 limits the gradient's norm.
  Optimizer(const Image& image, const Player& player, const OptimizerSettings& settings, double clip = 0);

  /// One step along `gradient` (uphill), on the processor. `rate` multiplies the learning rate. The
  /// parameters must be the same array in each call.
  void update(const Machine& machine, float* parameters, const float* gradient, double rate);

  /// How many numbers an update takes, and those of the `update`-th update, counted from 1, in the order of
  /// numbers_of.
  size_t number_count() const { return names_.size(); }
  void write_numbers(int64_t update, double rate, float* to) const;

  /// The program of an update; null if the player does not learn.
  const Program* program() const { return program_; }
  double clip() const { return clip_; }
  /// The state by PyTorch's names ("exp_avg", "exp_avg_sq", "momentum_buffer"), each laid out as the player's
  /// parameters.
  std::map<std::string, float*> state() const;
  int64_t steps = 0;  // how many steps are done
  /// How many bytes one step reads and writes.
  double bytes() const { return program_ ? update_bytes(*program_, elements_) : 0; }

 private:
  double number(const std::string& name, int64_t update, double rate) const;

  const Image& image_;
  OptimizerSettings settings_;
  double clip_;
  int64_t elements_;
  const Program* program_ = nullptr;
  std::vector<std::string> names_;  // of the numbers
  std::map<std::string, Floats> state_;
  Floats numbers_;  // of the update that runs
  std::unique_ptr<UpdateRunner> runner_;
};

}  // namespace core
