#include "runtime/core/machine/peaks.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "runtime/abi.h"
#include "runtime/core/machine/memory.h"

namespace core {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Twelve independent chains of fused multiply-adds cover the latency of two units; the empty asm keeps the
// compiler from merging them.
#ifdef __x86_64__
#define IN_A_REGISTER "+v"
#else
#define IN_A_REGISTER "+w"
#endif
#define FMA_CHAINS(bytes)                                                                                    \
  typedef float Lanes __attribute__((vector_size(bytes)));                                                   \
  Lanes a{}, b{}, c{}, d{}, e{}, f{}, g{}, h{}, i{}, j{}, k{}, l{};                                          \
  const Lanes x = Lanes{} + 1.0001f, y = Lanes{} + 0.9999f;                                                  \
  for (int64_t turn = 0; turn < turns; ++turn) {                                                             \
    a = a * x + y, b = b * x + y, c = c * x + y, d = d * x + y, e = e * x + y, f = f * x + y;                \
    g = g * x + y, h = h * x + y, i = i * x + y, j = j * x + y, k = k * x + y, l = l * x + y;                \
    asm volatile(""                                                                                          \
                 : IN_A_REGISTER(a), IN_A_REGISTER(b), IN_A_REGISTER(c), IN_A_REGISTER(d), IN_A_REGISTER(e), \
                   IN_A_REGISTER(f));                                                                        \
    asm volatile(""                                                                                          \
                 : IN_A_REGISTER(g), IN_A_REGISTER(h), IN_A_REGISTER(i), IN_A_REGISTER(j), IN_A_REGISTER(k), \
                   IN_A_REGISTER(l));                                                                        \
  }                                                                                                          \
  return 12.0 * static_cast<double>(turns) * 2 * (bytes) / 4

using Chains = decltype(BusyLoop::flops_of);

#ifdef __x86_64__
__attribute__((target("avx512f"))) double chains_of_64_bytes(int64_t turns) { FMA_CHAINS(64); }
__attribute__((target("avx2,fma"))) double chains_of_32_bytes(int64_t turns) { FMA_CHAINS(32); }
#endif
double chains_of_16_bytes(int64_t turns) { FMA_CHAINS(16); }

Chains widest_chains() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return chains_of_64_bytes;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return chains_of_32_bytes;
#endif
  return chains_of_16_bytes;
}

double memory_peak(int threads, double budget) {
  constexpr int64_t floats = int64_t{24} << 20;  // 100 MB an array
  const Floats a(floats), b(floats), c(floats);
  float* const to = a.data();
  const float *const left = b.data(), *const right = c.data();
  double best = 0;
  const double stop = now() + budget;
  do {
    const double begin = now();
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < floats; ++i) to[i] = left[i] + 3.0f * right[i];
    best = std::max(best, 3.0 * sizeof(float) * static_cast<double>(floats) / (now() - begin));
  } while (now() < stop);
  return best;
}

double fastest(const BusyLoop& loop, int threads, double seconds) {
  double best = 0;
  const double stop = now() + seconds;
  do {
    double done = 0, begin = 0, end = 0;
#pragma omp parallel num_threads(threads) reduction(+ : done)
    {
#pragma omp barrier
#pragma omp master
      begin = now();
      done += loop.flops_of(loop.turns);
#pragma omp barrier
#pragma omp master
      end = now();
    }
    best = std::max(best, done / (end - begin));
  } while (now() < stop);
  return best;
}

}  // namespace

double measure_fma_peak(int threads, double seconds) {
  return fastest({widest_chains(), 20000}, threads, seconds);
}

double measure_bf16_peak(int threads, double seconds) {
  const BusyLoop loop = bf16_chains();
  return loop.flops_of ? fastest(loop, threads, seconds) : measure_fma_peak(threads, seconds);
}

Peaks measure_peaks(int threads, double seconds, int precision) {
  return {precision == VAE_BF16 ? measure_bf16_peak(threads, seconds) : measure_fma_peak(threads, seconds),
          memory_peak(threads, seconds)};
}

}  // namespace core
