// The exponential moving average of all parameters over the steps of a run. After t steps it is a weighted
// mean of the parameters after each step: the sum over i <= t of decay^(t-i) (1 - decay) parameters_i, over 1
// - decay^t. So step t moves the average towards the parameters by the share (1 - decay) / (1 - decay^t). The
// parameters from which the run began count only before the first step.
#pragma once
#include "runtime/core/learning/step/training_state.h"

namespace core {

/// The share by which step `t`, counted from 1, moves the average.
double average_share(double decay, int64_t t);

/// Moves the averages, on the processor, towards the parameters that a step has reached.
void add_to_averages(TrainingState& state, const Image& image, double decay);

}  // namespace core
