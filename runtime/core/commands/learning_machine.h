// In: what the user asked for, and the settings of a learn block. Out: what its steps run on.
#pragma once
#include "runtime/core/backend.h"
#include "runtime/core/image.h"
#include "runtime/core/learning/settings.h"

namespace core {

/// With `auto` an executable with code for GPUs takes one where there is a driver. Failure(bad_configuration)
/// where it was built for GPUs alone and there is none.
MachineRequest learning_machine(const Image& image, const MachineRequest& asked, const Settings& settings);

}  // namespace core
