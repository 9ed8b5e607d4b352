#include "runtime/onednn/convolution.h"
#include "runtime/onednn/primitive.h"

namespace onednn {
namespace {

using Tag = dnnl::memory::format_tag;

class FlatConvolution final : public vae_library_op {
 public:
  FlatConvolution(const vae_convolution& s, vae_precision precision);

  void run(const float* a, const float* b, float* c) override {
    if (!transposes_) return gemm(a, b, c);
    float* const copy = static_cast<float*>(transposed_.get_data_handle());
    const Operand copied = transposes_weights_ ? weights_ : source_;
    if (copied == Operand::result) {
      gemm(a, b, copy);
      transpose_.bind(1, c);
      transpose_.run();
    } else {
      transpose_.bind(0, copied == Operand::a ? a : b);
      transpose_.run();
      gemm(copied == Operand::a ? copy : a, copied == Operand::b ? copy : b, c);
    }
  }

 private:
  enum class Operand { a, b, result };

  // The left operand of dW' = dY X' is the second argument of the call.
  void gemm(const float* a, const float* b, float* c) {
    if (weights_ == Operand::result) std::swap(a, b);
    gemm_->run(a, b, c);
  }

  Op gemm_;
  bool transposes_, transposes_weights_;
  Operand source_, weights_;  // where they are among the arguments of the call
  Call transpose_;
  dnnl::memory transposed_;
};

FlatConvolution::FlatConvolution(const vae_convolution& s, vae_precision precision) {
  const int64_t window = s.kernel_h * s.kernel_w, inputs = s.in_channels * window;
  const vae_gemm gemms[] = {{s.batch, s.out_channels, inputs, 0, 1},
                            {s.batch, inputs, s.out_channels, 0, 0},
                            {s.out_channels, inputs, s.batch, 1, 0}};
  gemm_ = make_gemm(gemms[s.direction], precision);
  description = "flat gemm, " + gemm_->description;

  source_ = s.direction == VAE_BACKWARD_DATA ? Operand::result : Operand::a;
  weights_ = s.direction == VAE_BACKWARD_WEIGHTS ? Operand::result : Operand::b;
  transposes_ = window > 1 && s.in_channels > 1;
  transposes_weights_ = s.out_channels < s.batch;
  if (!transposes_) return;

  const int64_t rows = transposes_weights_ ? s.out_channels : s.batch;
  const auto by_channel = plain({rows, s.in_channels, window}, Tag::abc);
  const auto by_pixel = plain({rows, s.in_channels, window}, Tag::acb);
  const auto outside = transposes_weights_ ? by_channel : by_pixel;
  const auto inside = transposes_weights_ ? by_pixel : by_channel;
  const bool of_result = (transposes_weights_ ? weights_ : source_) == Operand::result;
  transposed_ = dnnl::memory(inside, cpu());
  transpose_ = of_result ? make_reorder(inside, outside) : make_reorder(outside, inside);
  transpose_.bind(of_result ? 0 : 1, transposed_);
}

}  // namespace

bool is_flat(const vae_convolution& s) {
  return s.out_h == 1 && s.out_w == 1 && s.padding_h == 0 && s.padding_w == 0 && s.kernel_h == s.in_h &&
         s.kernel_w == s.in_w;
}

Op make_flat_convolution(const vae_convolution& shape, vae_precision precision) {
  return std::make_unique<FlatConvolution>(shape, precision);
}

}  // namespace onednn
