#include <vector>

#include "runtime/onednn/convolution.h"

namespace onednn {
namespace {

class MirroredWeights final : public vae_library_op {
 public:
  explicit MirroredWeights(const vae_convolution& s)
      : in_channels_(s.in_channels),
        out_channels_(s.out_channels),
        taps_(s.kernel_h * s.kernel_w),
        mirrored_(s.in_channels * s.out_channels * taps_) {
    vae_convolution mirror = s;
    mirror.in_channels = s.out_channels, mirror.in_h = s.out_h, mirror.in_w = s.out_w;
    mirror.out_channels = s.in_channels, mirror.out_h = s.in_h, mirror.out_w = s.in_w;
    mirror.padding_h = s.kernel_h - 1 - s.padding_h;
    mirror.padding_w = s.kernel_w - 1 - s.padding_w;
    weights_ = make_direct_convolution(mirror, VAE_FP32);
    description = "mirrored, " + weights_->description;
  }

  void run(const float* source, const float* destination, float* weights) override {
    weights_->run(destination, source, mirrored_.data());
    const float* mirrored = mirrored_.data();
    for (int64_t i = 0; i < in_channels_; ++i)
      for (int64_t o = 0; o < out_channels_; ++o)
        for (int64_t t = taps_ - 1; t >= 0; --t) weights[(o * in_channels_ + i) * taps_ + t] = *mirrored++;
  }

 private:
  int64_t in_channels_, out_channels_, taps_;
  std::vector<float> mirrored_;  // [in_channels][out_channels][taps, last first]
  Op weights_;
};

}  // namespace

bool is_mirrored(const vae_convolution& s) {
  return s.direction == VAE_BACKWARD_WEIGHTS && s.out_channels <= few_channels &&
         s.in_channels > few_channels && s.stride_h == 1 && s.stride_w == 1 && s.padding_h < s.kernel_h &&
         s.padding_w < s.kernel_w;
}

Op make_mirrored_weights(const vae_convolution& shape) { return std::make_unique<MirroredWeights>(shape); }

}  // namespace onednn
