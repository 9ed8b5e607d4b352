// The processor or GPU that all programs of an executable run on, and arrays in its memory. On a GPU, these
// functions enqueue their work, which can be recorded (device.h).
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "runtime/core/machine/device.h"
#include "runtime/core/machine/memory.h"

namespace core {

/// What its pointers refer to must outlive the programs.
struct Machine {
  const vae_library* library = nullptr;
  int threads = 1;
  Device* device = nullptr;             // if not null, all memory and all loops are on this GPU
  std::vector<float*> parameters;       // per player, flat
  const float* coefficients = nullptr;  // as Image::coefficients; per source: weight / rows
};

/// Zeroed memory of the machine.
Floats allocate(const Machine& machine, int64_t count);
/// Memory of the machine with these values. Not allowed while a recording is made.
Floats place(const Machine& machine, std::span<const float> values);
void clear(const Machine& machine, const Floats& memory);
/// to[i] += factor * from[i] for i < count.
void add(const Machine& machine, const float* from, float factor, float* to, int64_t count);
/// Executes work that is the same each time; on a GPU by Device::run.
void repeat(const Machine& machine, Device::Recording& recording, const std::function<void()>& work);

}  // namespace core
