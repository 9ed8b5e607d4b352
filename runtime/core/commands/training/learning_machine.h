// Chooses the machine for training. In: what the user asked for, and the settings of a learn block. Out: the
// machine that its steps run on.
#pragma once
#include "runtime/core/image.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/machine/backend.h"

namespace core {

struct LearningMachine {
  MachineRequest request;
  /// Why the processor was chosen, although the executable has code for GPUs; else empty.
  std::string why_no_gpu;
};

/// With `auto`, an executable with code for GPUs uses a GPU if the GPU, its driver and LibTorch can run it.
/// Failure(bad_configuration) if they cannot, and it was built only for GPUs.
LearningMachine learning_machine(const Image& image, const MachineRequest& asked, const Settings& settings);

}  // namespace core
