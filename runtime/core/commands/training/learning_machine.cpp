#include "runtime/core/commands/training/learning_machine.h"

#include <fmt/format.h>

#include "runtime/core/machine/cuda_device.h"
#include "runtime/shared/failure.h"

namespace core {

LearningMachine learning_machine(const Image& image, const MachineRequest& asked, const Settings& settings) {
  LearningMachine machine = {asked, ""};
  machine.request.precision = precision_of(settings);
  if (asked.device != "auto" || !image.ptx) return machine;
  try {
    machine.request.opened = std::make_shared<CudaDevice>(
        image, vae_torch_options{0, machine.request.precision, asked.cudnn_benchmark ? 1 : 0});
    machine.request.device = "cuda";
  } catch (const Failure& failure) {
    machine.why_no_gpu = failure.what();
    if (image.target == Target::cuda)
      throw Failure(failure.exit_code,
                    fmt::format("{}; this executable was built for one: --device cpu trains without",
                                machine.why_no_gpu));
    // The user did not give the flag that the cause names.
    if (const std::string flag = "--device cuda: "; machine.why_no_gpu.starts_with(flag))
      machine.why_no_gpu.erase(0, flag.size());
  }
  return machine;
}

}  // namespace core
