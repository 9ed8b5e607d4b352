#include "runtime/core/machine/machine.h"

#include <algorithm>

namespace core {

Floats allocate(const Machine& machine, int64_t count) {
  return machine.device ? machine.device->allocate(count) : Floats(count);
}

Floats place(const Machine& machine, std::span<const float> values) {
  Floats memory = allocate(machine, static_cast<int64_t>(values.size()));
  if (machine.device)
    machine.device->upload(memory.data(), values.data(), values.size_bytes());
  else
    std::copy(values.begin(), values.end(), memory.begin());
  return memory;
}

void clear(const Machine& machine, const Floats& memory) {
  if (machine.device) return machine.device->clear(memory.data(), memory.size());
  std::fill(memory.begin(), memory.end(), 0.0F);
}

void add(const Machine& machine, const float* from, float factor, float* to, int64_t count) {
  if (Device* device = machine.device)
    return device->launch(device->blocks_for(count),
                          schema::Add<>{.from = from, .factor = factor, .to = to, .count = count});
#pragma omp parallel for simd num_threads(machine.threads) schedule(static) if (parallel : count > 1 << 16)
  for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
}

void repeat(const Machine& machine, Device::Recording& recording, const std::function<void()>& work) {
  if (machine.device) return machine.device->run(recording, work);
  work();
}

}  // namespace core
