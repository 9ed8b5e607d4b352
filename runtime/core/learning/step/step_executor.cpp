#include "runtime/core/learning/step/step_executor.h"

#include "runtime/core/learning/step/device_steps.h"
#include "runtime/core/learning/step/processor_steps.h"
#include "runtime/core/ranks/ranks.h"

namespace core {

BatchRows batch_rows(const Session& session, const Settings& settings, int source, int64_t rows) {
  const auto batch = settings.batch.find(session.image.sources[static_cast<size_t>(source)].name);
  if (batch == settings.batch.end()) return {0, 0, rows, rows};
  return {0, session.ranks->share(batch->second).first, rows, batch->second};
}

std::unique_ptr<StepExecutor> make_step_executor(const StepContext& context) {
  if (context.session.device) return std::make_unique<DeviceSteps>(context);
  return std::make_unique<ProcessorSteps>(context);
}

}  // namespace core
