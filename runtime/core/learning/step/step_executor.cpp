#include "runtime/core/learning/step/step_executor.h"

#include "runtime/core/learning/step/device_steps.h"
#include "runtime/core/learning/step/processor_steps.h"

namespace core {

std::unique_ptr<StepExecutor> make_step_executor(const StepContext& context) {
  if (context.session.device) return std::make_unique<DeviceSteps>(context);
  return std::make_unique<ProcessorSteps>(context);
}

}  // namespace core
