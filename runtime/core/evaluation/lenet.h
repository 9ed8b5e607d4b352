// The features of FD-LeNet: the penultimate layer (84 units) of a small convolutional classifier of MNIST's
// binarised digits, each unit standardised on the training images. The classifier is libvaert_lenet.so, a
// .vae model (runtime/lenet); it is trained once, by the first command that needs it, and kept in the cache.
#pragma once
#include <memory>

#include "runtime/core/evaluation/features.h"

namespace core {

/// Failure(bad_configuration) where the variable is no picture of 28 x 28 in one channel, or where the
/// library is missing; missing_input where MNIST is needed for the training and is nowhere; bad_data where
/// the classifier does not reach 99 % of the test images. Values that are not binary are compared with
/// 0.4375, as those that it was trained on.
std::unique_ptr<Features> make_lenet_features(const Session& session, int variable);

}  // namespace core
