#include "runtime/core/commands/training/learning_machine.h"

#include <fmt/format.h>

#include "runtime/core/machine/cuda_driver.h"
#include "runtime/shared/failure.h"

namespace core {

MachineRequest learning_machine(const Image& image, const MachineRequest& asked, const Settings& settings) {
  MachineRequest machine = asked;
  machine.precision = precision_of(settings);
  if (machine.device != "auto" || !image.ptx) return machine;
  try {
    cuda::Driver::get();
    machine.device = "cuda";
  } catch (const Failure& failure) {
    if (image.target == "cuda")
      throw Failure(
          failure.exit_code,
          fmt::format("{}; this executable was built for one: --device cpu trains without", failure.what()));
  }
  return machine;
}

}  // namespace core
