// What all programs of an executable run on, the processor or a GPU, and arrays in its memory. On a GPU all
// of this is enqueued, and can be recorded (device.h).
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "runtime/core/device.h"
#include "runtime/core/memory.h"

namespace core {

/// Pointers outlive the programs.
struct Machine {
  const vae_library* library = nullptr;
  int threads = 1;
  Device* device = nullptr;             // all memory and all loops are there; else the processor's
  std::vector<float*> parameters;       // per player, flat
  const float* coefficients = nullptr;  // per source: weight / rows
};

/// Zeroed, of the machine's memory.
Floats allocate(const Machine& machine, int64_t count);
/// The same, with these values; not within a recording.
Floats place(const Machine& machine, std::span<const float> values);
void clear(const Machine& machine, const Floats& memory);
/// to[i] += factor * from[i] for i < count.
void add(const Machine& machine, const float* from, float factor, float* to, int64_t count);
/// Work that is the same each time, as Device::run.
void repeat(const Machine& machine, Device::Recording& recording, const std::function<void()>& work);

}  // namespace core
