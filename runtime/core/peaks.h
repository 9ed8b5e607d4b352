// What this processor can do at most, measured now: what kernels are compared with.
#pragma once
#include <cstdint>

namespace core {

struct Peaks {
  double flops = 0;  // a second, of nothing but fused multiply-adds of floats; in bf16, of such products
  double bytes = 0;  // a second, of a[i] = b[i] + s c[i] over arrays that no cache holds
};

/// The fastest of what `threads` threads of the pool reach within `seconds` for each of the two, in a
/// vae_precision.
Peaks measure_peaks(int threads, double seconds, int precision);

/// The first alone; where the processor has no instructions for bf16, that of fp32.
double measure_fma_peak(int threads, double seconds);
double measure_bf16_peak(int threads, double seconds);

/// Arithmetic that waits for nothing.
struct BusyLoop {
  double (*flops_of)(int64_t turns) = nullptr;  // does them, and says how many flops they were
  int64_t turns = 0;                            // that take some tenths of a millisecond
};

/// The fastest instructions for products of bf16 numbers; without a loop where this processor has none.
BusyLoop bf16_chains();

}  // namespace core
