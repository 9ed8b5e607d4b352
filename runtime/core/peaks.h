// What this processor can do at most, measured now: what kernels are compared with.
#pragma once

namespace core {

struct Peaks {
  double flops = 0;  // a second, of nothing but fused multiply-adds of floats
  double bytes = 0;  // a second, of a[i] = b[i] + s c[i] over arrays that no cache holds
};

/// The fastest of what `threads` threads of the pool reach within `seconds` for each of the two.
Peaks measure_peaks(int threads, double seconds);

/// The first alone.
double measure_fma_peak(int threads, double seconds);

}  // namespace core
