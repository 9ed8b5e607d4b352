// The highest speeds that this processor reaches, measured now. Kernels are compared with them.
#pragma once
#include <cstdint>

namespace core {

struct Peaks {
  /// Per second, by fused multiply-adds of floats alone; in bf16, by products of bf16 numbers alone
  double flops = 0;
  double bytes = 0;  // per second, by a[i] = b[i] + s c[i] over arrays that are larger than every cache
};

/// The highest speeds that `threads` threads of the pool reach; each of the two is measured for `seconds`.
/// `precision`: a vae_precision.
Peaks measure_peaks(int threads, double seconds, int precision);

/// The flops alone. Without instructions for bf16, measure_bf16_peak gives the fp32 peak.
double measure_fma_peak(int threads, double seconds);
double measure_bf16_peak(int threads, double seconds);

/// A loop of arithmetic that never waits for earlier results or for memory.
struct BusyLoop {
  double (*flops_of)(int64_t turns) = nullptr;  // runs `turns` turns and returns their number of flops
  int64_t turns = 0;                            // how many turns take some tenths of a millisecond
};

/// The fastest instructions for products of bf16 numbers. `flops_of` is null if this processor has none.
BusyLoop bf16_chains();

}  // namespace core
