#include "runtime/core/learning/step/processor_update.h"

namespace core {

ProcessorUpdate::ProcessorUpdate(const Image& image, const Machine& machine, const Optimizer& optimizer,
                                 float* parameters, OptimizerState& state)
    : optimizer_(optimizer), state_(state), numbers_(static_cast<int64_t>(optimizer.number_count())) {
  if (!optimizer.program()) return;
  UpdateRunner::Memory memory{optimizer.elements(), parameters, {}, numbers_.data()};
  for (const auto& [name, values] : state.moments) memory.state[name] = values.data();
  runner_ = std::make_unique<UpdateRunner>(image, *optimizer.program(), machine, std::move(memory),
                                           optimizer.clip());
}

void ProcessorUpdate::run(const float* gradient, double rate) {
  if (!runner_) return;
  optimizer_.write_numbers(++state_.updates, rate, numbers_.data());
  runner_->run(gradient);
}

}  // namespace core
