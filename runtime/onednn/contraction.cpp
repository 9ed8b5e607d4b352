#include <algorithm>
#include <vector>

#include "runtime/onednn/convolution.h"

namespace onednn {
namespace {

constexpr int64_t few_channels = 4;

/// One row of outputs. The input under a window's row is contiguous: its pixels and their channels.
struct ContractionRow {
  const float* in;  // the first row of input under the windows that is inside the image
  int64_t in_row;   // floats from one row of input to the next
  int64_t rows;     // of the windows, inside the image
  int64_t in_w, channels, kernel_h, kernel_w, stride, padding;
  const float* weights;  // [out_channels][kernel_h][kernel_w][channels], from the first row inside
  float* out;
  int64_t out_w, out_channels;
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

class Contraction final : public vae_heavy_op {
 public:
  explicit Contraction(const vae_convolution& s)
      : shape_(s), weights_(s.in_channels * s.out_channels * s.kernel_h * s.kernel_w) {
    kernel_ = row_kernel(description);
    if (s.direction == VAE_FORWARD) return;
    // Backward-data with stride 1 is forward with the sides exchanged and the taps in reverse.
    std::swap(shape_.in_channels, shape_.out_channels);
    std::swap(shape_.in_h, shape_.out_h);
    std::swap(shape_.in_w, shape_.out_w);
    shape_.padding_h = s.kernel_h - 1 - s.padding_h;
    shape_.padding_w = s.kernel_w - 1 - s.padding_w;
  }

  void run(const float* in, const float* weights, float* out) override {
    arrange(weights);
    const vae_convolution& s = shape_;
    const int64_t in_row = s.in_w * s.in_channels, weight_row = s.kernel_w * s.in_channels;
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t n = 0; n < s.batch; ++n)
      for (int64_t y = 0; y < s.out_h; ++y) {
        const int64_t begin = y * s.stride_h - s.padding_h;
        const int64_t first = std::max<int64_t>(0, -begin), last = std::min(s.kernel_h, s.in_h - begin);
        kernel_({.in = in + (n * s.in_h + begin + first) * in_row,
                 .in_row = in_row,
                 .rows = std::max<int64_t>(0, last - first),
                 .in_w = s.in_w,
                 .channels = s.in_channels,
                 .kernel_h = s.kernel_h,
                 .kernel_w = s.kernel_w,
                 .stride = s.stride_w,
                 .padding = s.padding_w,
                 .weights = weights_.data() + first * weight_row,
                 .out = out + (n * s.out_h + y) * s.out_w * s.out_channels,
                 .out_w = s.out_w,
                 .out_channels = s.out_channels});
      }
  }

 private:
  /// [out][in][tap] (backward-data: [in][out][tap, last first]) to [out][tap][in].
  void arrange(const float* weights) {
    const int64_t taps = shape_.kernel_h * shape_.kernel_w, ins = shape_.in_channels,
                  outs = shape_.out_channels;
    const bool forward = shape_.direction == VAE_FORWARD;
    for (int64_t o = 0; o < outs; ++o)
      for (int64_t t = 0; t < taps; ++t)
        for (int64_t i = 0; i < ins; ++i)
          weights_[(o * taps + t) * ins + i] =
              forward ? weights[(o * ins + i) * taps + t] : weights[(i * outs + o) * taps + taps - 1 - t];
  }

  vae_convolution shape_;  // as seen from the side of many channels
  RowKernel kernel_;
  std::vector<float> weights_;  // [out_channels][kernel_h][kernel_w][in_channels]
};

}  // namespace

bool is_contraction(const vae_convolution& s) {
  if (s.direction == VAE_FORWARD) return s.out_channels <= few_channels;
  return s.direction == VAE_BACKWARD_DATA && s.in_channels <= few_channels && s.stride_h == 1 &&
         s.stride_w == 1 && s.padding_h < s.kernel_h && s.padding_w < s.kernel_w;
}

Op make_contraction(const vae_convolution& shape) { return std::make_unique<Contraction>(shape); }

}  // namespace onednn
