// The features of FD-LeNet: the penultimate layer (84 units) of a small convolutional classifier of MNIST's
// binarised digits. Each unit is standardised on the training images. The classifier is libvaert_lenet.so,
// built from a .vae model (runtime/lenet). The first command that needs it trains it once and keeps it in the
// cache.
#pragma once
#include <memory>

#include "runtime/core/evaluation/features/features.h"

namespace core {

/// Failure(bad_configuration) if the variable is not a picture of 28 x 28 in one channel, or if the library
/// is missing. Failure(missing_input) if MNIST is needed for the training but not found. Failure(bad_data) if
/// the classifier gets fewer than 99 % of the test images right. Values that are not binary are compared with
/// 0.4375, as the training images were.
std::unique_ptr<Features> make_lenet_features(const Session& session, int variable);

}  // namespace core
