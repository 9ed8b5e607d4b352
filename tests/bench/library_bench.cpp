// Compares the speed of the library operations with the processor's FMA peak: GFLOP/s of the GEMMs of a
// digits MLP and of the convolutions of `reverse`. Each number is the best of many short runs.
// links: vaert_core vaert_onednn
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "runtime/abi.h"
#include "runtime/core/machine/peaks.h"
#include "tests/numeric/support/reverse_layers.h"

namespace {

vae_library library;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double best_seconds(vae_library_op* op, const float* a, const float* b, float* c, double budget) {
  for (int warm = 0; warm < 3; ++warm) library.run(op, a, b, c);
  const double begin = seconds();
  library.run(op, a, b, c);
  const int block = std::clamp(int(2e-5 / (seconds() - begin)), 1, 100);
  double best = 1e9;
  for (const double stop = seconds() + budget; seconds() < stop;) {
    const double start = seconds();
    for (int i = 0; i < block; ++i) library.run(op, a, b, c);
    best = std::min(best, (seconds() - start) / block);
  }
  return best;
}

/// Memory as the runtime allocates it: a buffer begins at a cache line.
struct Buffer {
  Buffer(int64_t count, float value) : values(static_cast<float*>(::operator new(count * 4, line))) {
    std::fill_n(values, count, value);
  }
  ~Buffer() { ::operator delete(values, line); }
  Buffer(const Buffer&) = delete;

  static constexpr std::align_val_t line{64};
  float* values;
};

struct Tally {
  double flops = 0, seconds = 0;
};

void report(const std::string& name, vae_library_op* op, int64_t a, int64_t b, int64_t c, double peak,
            double budget, Tally& tally) {
  const Buffer left(a, 0.5f), right(b, 0.25f), result(c, 0);
  const double time = best_seconds(op, left.values, right.values, result.values, budget);
  const double rate = library.flops(op) / time * 1e-9;
  std::printf("| %-44s | %9.1f | %7.1f | %3.0f %% | %s |\n", name.c_str(), time * 1e6, rate,
              100 * rate / peak, library.describe(op));
  std::fflush(stdout);
  tally.flops += library.flops(op);
  tally.seconds += time;
  library.release(op);
}

void header(const char* title) {
  std::printf("\n| %-44s |   us/call | GFLOP/s | peak  | kernel |\n|---|---|---|---|---|\n", title);
}

void footer(const Tally& tally, double peak) {
  const double rate = tally.flops / tally.seconds * 1e-9;
  std::printf("| %-44s | %9.1f | %7.1f | %3.0f %% | |\n", "all", tally.seconds * 1e6, rate,
              100 * rate / peak);
}

void bench_gemms(int64_t batch, double peak, double budget) {
  header(("GEMM, batch " + std::to_string(batch)).c_str());
  Tally tally;
  for (auto [in, out] : {std::pair<int64_t, int64_t>{784, 512}, {512, 64}, {64, 512}, {512, 784}}) {
    const vae_gemm shapes[] = {{batch, out, in, 0, 1}, {batch, in, out, 0, 0}, {out, in, batch, 1, 0}};
    const char* const names[] = {"Y = X W'", "dX = dY W", "dW = dY' X"};
    for (int i = 0; i < 3; ++i) {
      const vae_gemm& s = shapes[i];
      const std::string name = std::to_string(in) + " -> " + std::to_string(out) + "  " + names[i];
      report(name, library.prepare_gemm(&s, nullptr, 0), s.m * s.k, s.k * s.n, s.m * s.n, peak, budget,
             tally);
    }
  }
  footer(tally, peak);
}

void bench_convolutions(int64_t batch, double peak, double budget) {
  header(("convolutions of reverse, batch " + std::to_string(batch)).c_str());
  Tally tally;
  const char* const names[] = {"forward", "backward-data", "backward-weights"};
  for (vae_convolution s : reverse_layers(batch))
    for (s.direction = 0; s.direction < 3; ++s.direction) {
      const int64_t source = batch * s.in_channels * s.in_h * s.in_w;
      const int64_t weights = s.out_channels * s.in_channels * s.kernel_h * s.kernel_w;
      const int64_t destination = batch * s.out_channels * s.out_h * s.out_w;
      const int64_t counts[3][3] = {
          {source, weights, destination}, {destination, weights, source}, {source, destination, weights}};
      const std::string name = std::to_string(s.in_channels) + "x" + std::to_string(s.in_h) + "^2 -> " +
                               std::to_string(s.out_channels) + "x" + std::to_string(s.out_h) + "^2, " +
                               std::to_string(s.kernel_h) + "^2/" + std::to_string(s.stride_h) + " " +
                               names[s.direction];
      const int64_t* n = counts[s.direction];
      report(name, library.prepare_convolution(&s, nullptr, 0), n[0], n[1], n[2], peak, budget, tally);
    }
  footer(tally, peak);
}

void bench_overhead(double peak, double budget) {
  header("overhead");
  Tally tally;
  for (const vae_gemm s :
       {vae_gemm{1, 1, 1, 0, 0}, {8, 8, 8, 0, 1}, {32, 16, 16, 0, 1}, {128, 30, 100, 0, 1}})
    report(std::to_string(s.m) + " x " + std::to_string(s.n) + " x " + std::to_string(s.k),
           library.prepare_gemm(&s, nullptr, 0), s.m * s.k, s.k * s.n, s.m * s.n, peak, budget, tally);
}

}  // namespace

/// library_bench [gemm|convolution|overhead|all] [seconds a line] [threads] [batch of the convolutions]
/// [fp32|bf16]
int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "all";
  const double budget = argc > 2 ? std::atof(argv[2]) : 0.3;
  const int threads = argc > 3 ? std::atoi(argv[3]) : omp_get_max_threads();
  const int64_t batch = argc > 4 ? std::atoi(argv[4]) : 128;
  const bool rounded = argc > 5 && argv[5] == std::string("bf16");
  const vae_library* const table = rounded ? vaert_onednn_bf16() : vaert_onednn();
  if (!table) return std::puts("this processor has no instructions for bf16"), 1;
  library = *table;
  library.set_threads(threads);
  const auto measure = rounded ? core::measure_bf16_peak : core::measure_fma_peak;
  const double peak = 1e-9 * measure(threads, budget);
  std::printf("%s peak: 1 thread %.1f GFLOP/s, %d threads %.1f GFLOP/s\n", rounded ? "bf16" : "FMA",
              1e-9 * measure(1, budget), threads, peak);
  if (what == "gemm" || what == "all")
    for (int64_t rows : {32, 128, 512}) bench_gemms(rows, peak, budget);
  if (what == "convolution" || what == "all") bench_convolutions(batch, peak, budget);
  if (what == "overhead" || what == "all") bench_overhead(peak, budget);
}
