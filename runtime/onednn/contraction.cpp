#include <algorithm>
#include <vector>

#include "runtime/onednn/convolution.h"

namespace onednn {
namespace {

/// One row of outputs. Each row of a window is contiguous in the input: its pixels and their channels.
struct ContractionRow {
  const float* in;  // the first input row under the windows that lies inside the image
  int64_t in_row;   // floats from one row of input to the next
  int64_t rows;     // number of the windows' rows that lie inside the image
  int64_t in_w, channels, kernel_h, kernel_w, stride, padding;
  const float* weights;  // [out_channels][kernel_h][kernel_w][channels], from the first row inside the image
  float* out;
  int64_t out_w, out_step, out_channels;  // out_step: floats from one output to the next
};

namespace any_processor {
constexpr int lanes = 4;
#include "runtime/onednn/contract_row.inc"
}  // namespace any_processor

using RowKernel = void (*)(const ContractionRow&);

#ifdef __x86_64__
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
constexpr int lanes = 8;
#include "runtime/onednn/contract_row.inc"
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx2,fma")
namespace avx512 {
constexpr int lanes = 16;
#include "runtime/onednn/contract_row.inc"
}  // namespace avx512
#pragma GCC pop_options

RowKernel row_kernel(std::string& name) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    name = "contract:avx512";
    return avx512::contract_row;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    name = "contract:avx2";
    return avx2::contract_row;
  }
  name = "contract:any";
  return any_processor::contract_row;
}
#else
RowKernel row_kernel(std::string& name) {
  name = "contract:any";
  return any_processor::contract_row;
}
#endif

/// The outputs along one axis that use the same taps. Forward has one phase. Backward-data with stride S has
/// S phases: output i uses tap t from place (i + padding - t) / S if that is a whole number. In phase r these
/// are the taps r, r + S, ..., each of which reads one place before the previous one. That is a convolution
/// with stride 1 and these taps reversed.
struct Phase {
  int64_t first, step, count;   // the outputs of the phase
  int64_t tap, tap_step, taps;  // its taps, in the order of the input
  int64_t stride, padding;      // of the windows of the phase
};

std::vector<Phase> phases_of(bool forward, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                             int64_t padding) {
  if (forward) return {{0, 1, out, 0, 1, kernel, stride, padding}};
  std::vector<Phase> phases;
  for (int64_t first = 0; first < std::min(stride, in); ++first) {
    const int64_t phase = (first + padding) % stride, taps = (kernel - phase + stride - 1) / stride;
    const int64_t last_place = (first + padding - phase) / stride;
    phases.push_back({first, stride, (in - first + stride - 1) / stride, phase + (taps - 1) * stride, -stride,
                      taps, 1, taps - 1 - last_place});
  }
  return phases;
}

class Contraction final : public vae_library_op {
 public:
  explicit Contraction(const vae_convolution& s)
      : shape_(s),
        rows_(phases_of(forward(), s.in_h, s.out_h, s.kernel_h, s.stride_h, s.padding_h)),
        columns_(phases_of(forward(), s.in_w, s.out_w, s.kernel_w, s.stride_w, s.padding_w)),
        weights_(s.in_channels * s.out_channels * s.kernel_h * s.kernel_w) {
    kernel_ = row_kernel(description);
  }

  void run(const float* in, const float* weights, float* out) override {
    arrange(weights);
    const float* arranged = weights_.data();
    for (const Phase& rows : rows_)
      for (const Phase& columns : columns_) {
        run(rows, columns, in, arranged, out);
        arranged += rows.taps * columns.taps * many() * few();
      }
  }

 private:
  bool forward() const { return shape_.direction == VAE_FORWARD; }
  int64_t many() const { return forward() ? shape_.in_channels : shape_.out_channels; }
  int64_t few() const { return forward() ? shape_.out_channels : shape_.in_channels; }

  void run(const Phase& rows, const Phase& columns, const float* in, const float* weights, float* out) {
    const int64_t in_h = forward() ? shape_.in_h : shape_.out_h,
                  in_w = forward() ? shape_.in_w : shape_.out_w;
    const int64_t out_h = forward() ? shape_.out_h : shape_.in_h,
                  out_w = forward() ? shape_.out_w : shape_.in_w;
    const int64_t in_row = in_w * many();
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t n = 0; n < shape_.batch; ++n)
      for (int64_t y = 0; y < rows.count; ++y) {
        const int64_t begin = y * rows.stride - rows.padding;
        const int64_t first = std::max<int64_t>(0, -begin), last = std::min(rows.taps, in_h - begin);
        kernel_({.in = in + (n * in_h + begin + first) * in_row,
                 .in_row = in_row,
                 .rows = std::max<int64_t>(0, last - first),
                 .in_w = in_w,
                 .channels = many(),
                 .kernel_h = rows.taps,
                 .kernel_w = columns.taps,
                 .stride = columns.stride,
                 .padding = columns.padding,
                 .weights = weights + first * columns.taps * many(),
                 .out = out + ((n * out_h + rows.first + y * rows.step) * out_w + columns.first) * few(),
                 .out_w = columns.count,
                 .out_step = columns.step * few(),
                 .out_channels = few()});
      }
  }

  /// Reorders the weights from [out_channels][in_channels][tap] to [few][taps of the phases][many], for each
  /// pair of phases.
  void arrange(const float* weights) {
    const vae_convolution& s = shape_;
    const int64_t taps = s.kernel_h * s.kernel_w;
    float* arranged = weights_.data();
    for (const Phase& rows : rows_)
      for (const Phase& columns : columns_)
        for (int64_t f = 0; f < few(); ++f)
          for (int64_t y = 0; y < rows.taps; ++y)
            for (int64_t x = 0; x < columns.taps; ++x)
              for (int64_t m = 0; m < many(); ++m) {
                const int64_t tap =
                    (rows.tap + y * rows.tap_step) * s.kernel_w + columns.tap + x * columns.tap_step;
                const int64_t pair = forward() ? f * s.in_channels + m : m * s.in_channels + f;
                *arranged++ = weights[pair * taps + tap];
              }
  }

  vae_convolution shape_;
  std::vector<Phase> rows_, columns_;
  std::vector<float> weights_;
  RowKernel kernel_;
};

}  // namespace

bool is_contraction(const vae_convolution& s) {
  if (s.direction == VAE_FORWARD) return s.out_channels <= few_channels;
  return s.direction == VAE_BACKWARD_DATA && s.in_channels <= few_channels;
}

Op make_contraction(const vae_convolution& shape) { return std::make_unique<Contraction>(shape); }

}  // namespace onednn
