// How parameters change by a gradient: a tensor program for each optimizer
// (runtime/schema/optimizer_words.h), and one that bounds the gradient. A program serves players of every
// size: batch class 0 is the floats of a player's flat array. Numbers that change from step to step, or that
// a flag sets, are inputs.
#pragma once
#include <string>
#include <vector>

#include "compiler/tensor/program.h"

namespace tensor {

/// Arrays [floats] are inputs: `parameters`, `gradient`, and the optimizer's state by PyTorch's names. An
/// output is the new value of the input of the same name, and both are the same memory: no element depends on
/// another one. All other inputs are numbers []:
/// - NAME: a number of the optimizer; `lr` is multiplied by the learning-rate schedule
/// - 1 / (1 - NAME^t): computed in double; the t-th update of the player is running, counted from 1
/// - scale: a factor for the gradient, from build_clip, or 1
struct UpdateProgram {
  std::string optimizer;  // its name
  std::string needs;      // the number that must not be 0 if this program runs; or empty
  Program program;
};

/// The programs of all optimizers. Of those of one optimizer, the first that can run does.
std::vector<UpdateProgram> build_updates();

/// The factor `scale` by which the gradient is multiplied, so that its norm is at most `clip`. The gradient
/// comes as two inputs: `pieces` [batch class 0, 4096], which threads sum side by side, and `rest` [batch
/// class 1].
Program build_clip();

}  // namespace tensor
