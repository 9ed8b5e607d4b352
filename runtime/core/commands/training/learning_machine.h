// Chooses the machine for training. In: what the user asked for, and the settings of a learn block. Out: the
// machine that its steps run on.
#pragma once
#include "runtime/core/image.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/machine/backend.h"

namespace core {

/// With `auto`, an executable with code for GPUs uses a GPU if there is a driver. Failure(bad_configuration)
/// if it was built only for GPUs and there is none.
MachineRequest learning_machine(const Image& image, const MachineRequest& asked, const Settings& settings);

}  // namespace core
