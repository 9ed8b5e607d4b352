#include <ATen/core/ivalue.h>  // before all that keeps vectors of it: clang wants it complete

#include <ATen/Context.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/cudnn_convolution.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>

#include "runtime/torch/library_op.h"

namespace torch_backend {
namespace {

using Sizes = std::array<int64_t, 4>;
using Pair = std::array<int64_t, 2>;

/// One axis of the picture. LibTorch's padding is the same at both ends, so an axis that needs a different
/// padding at the far end must be padded first.
struct Axis {
  Axis(int64_t in_size, int64_t out, int64_t kernel, int64_t in_stride, int64_t padding)
      : in(in_size), stride(in_stride), near(padding) {
    if (in < 1 || out < 1 || kernel < 1 || stride < 1 || near < 0)
      throw std::invalid_argument("a convolution has an empty extent");
    far = std::max<int64_t>(0, (out - 1) * stride + kernel - in - near);
    if ((in + near + far - kernel) / stride + 1 != out)
      throw std::invalid_argument("the two sides of a convolution do not fit together");
    even = in + 2 * near >= kernel && (in + 2 * near - kernel) / stride + 1 == out;
  }

  int64_t in, stride, near, far = 0;
  bool even = false;  // padding by `near` at both ends gives the right number of windows
};

class Convolution final : public vae_library_op {
 public:
  Convolution(const vae_convolution& s, const Place& place)
      : direction_(s.direction),
        place_(place),
        h_(s.in_h, s.out_h, s.kernel_h, s.stride_h, s.padding_h),
        w_(s.in_w, s.out_w, s.kernel_w, s.stride_w, s.padding_w),
        pads_(!h_.even || !w_.even),
        source_{s.batch, s.in_channels, s.in_h, s.in_w},
        padded_{s.batch, s.in_channels, pads_ ? h_.near + h_.in + h_.far : h_.in,
                pads_ ? w_.near + w_.in + w_.far : w_.in},
        weights_{s.out_channels, s.in_channels, s.kernel_h, s.kernel_w},
        destination_{s.batch, s.out_channels, s.out_h, s.out_w},
        stride_{h_.stride, w_.stride},
        padding_{pads_ ? 0 : h_.near, pads_ ? 0 : w_.near},
        turned_padding_{s.kernel_h - 1 - h_.near, s.kernel_w - 1 - w_.near},
        turns_(!pads_ && stride_ == ones && turned_padding_[0] >= 0 && turned_padding_[1] >= 0) {
    if (s.batch < 1 || s.in_channels < 1 || s.out_channels < 1)
      throw std::invalid_argument("a convolution has an empty extent");
    if (s.direction < VAE_FORWARD || s.direction > VAE_BACKWARD_WEIGHTS)
      throw std::invalid_argument("a convolution has no such direction");
    description = place.describe(pads_ ? "padded convolution" : "convolution");
    flops = 2.0 * double(s.batch * s.out_h * s.out_w) * double(s.out_channels * s.in_channels) *
            double(s.kernel_h * s.kernel_w);
  }

  void run(const float* a, const float* b, float* c) override {
    if (direction_ == VAE_FORWARD) {
      convolve(picture(c, destination_), source(a), place_.operand(weights(b)), stride_, padding_);
    } else if (direction_ == VAE_BACKWARD_DATA && turns_) {
      const at::Tensor plain = place_.operand(weights(b));
      const at::Tensor turned = weights_[2] * weights_[3] > 1 ? at::flip(plain, Pair{2, 3}) : plain;
      convolve(picture(c, source_), place_.operand(picture(a, destination_)), turned.transpose(0, 1), stride_,
               turned_padding_);
    } else if (direction_ == VAE_BACKWARD_DATA) {
      at::Tensor gradient =
          std::get<0>(backward(place_.operand(picture(a, destination_)), unread(padded_, picture(c, source_)),
                               place_.operand(weights(b)), {true, false, false}));
      if (pads_) gradient = gradient.narrow(2, h_.near, h_.in).narrow(3, w_.near, w_.in);
      picture(c, source_).copy_(gradient);
    } else {
      weights(c).copy_(std::get<1>(backward(place_.operand(picture(b, destination_)), source(a),
                                            unread(weights_, weights(c)), {false, true, false})));
    }
  }

 private:
  static constexpr Pair ones = {1, 1}, zeros = {0, 0};

  at::Tensor picture(const float* data, const Sizes& sizes) const {  // channels last
    const auto [n, c, h, w] = sizes;
    return place_.view(data, sizes, Sizes{h * w * c, 1, w * c, c});
  }
  at::Tensor weights(const float* data) const {
    const auto [o, i, h, w] = weights_;
    return place_.view(data, weights_, Sizes{i * h * w, h * w, w, 1});
  }
  at::Tensor source(const float* data) const {
    const at::Tensor plain = place_.operand(picture(data, source_));
    return pads_ ? at::constant_pad_nd(plain, Sizes{w_.near, w_.far, h_.near, h_.far}, 0) : plain;
  }

  /// The convolution of `from` with `weights`. cuDNN writes it to `result`; otherwise it is copied there.
  void convolve(at::Tensor result, const at::Tensor& from, const at::Tensor& weights, const Pair& stride,
                const Pair& padding) const {
    constexpr int64_t most = std::numeric_limits<int32_t>::max();  // at::convolution divides larger tensors
    if (place_.device.is_cuda() && !place_.bf16 && at::Context::hasCuDNN() && result.numel() <= most &&
        from.numel() <= most)
      at::cudnn_convolution_out(result, from, weights, padding, stride, ones, 1, place_.benchmark,
                                !place_.benchmark, place_.tf32);
    else
      result.copy_(at::convolution(from, weights, {}, stride, padding, ones, false, zeros, 1));
  }

  /// A tensor of which the backward operations read only sizes and layout, not the values. It is `own` if
  /// that has the right size and type.
  at::Tensor unread(const Sizes& sizes, const at::Tensor& own) const {
    if (!place_.bf16 && own.sizes() == c10::IntArrayRef(sizes)) return own;
    const auto type = place_.bf16 ? at::kBFloat16 : at::kFloat;
    return at::empty(sizes, own.options().dtype(type), own.suggest_memory_format());
  }

  std::tuple<at::Tensor, at::Tensor, at::Tensor> backward(const at::Tensor& destination,
                                                          const at::Tensor& from, const at::Tensor& weights,
                                                          std::array<bool, 3> wanted) const {
    return at::convolution_backward(destination, from, weights, at::OptionalIntArrayRef(), stride_, padding_,
                                    ones, false, zeros, 1, wanted);
  }

  int32_t direction_;
  Place place_;
  Axis h_, w_;
  bool pads_;
  Sizes source_, padded_, weights_, destination_;
  Pair stride_, padding_, turned_padding_;
  /// If the stride is 1, the gradient by the data is a convolution of the gradient by the result with the
  /// weights turned by half a circle, with a padding of kernel - 1 - padding.
  bool turns_;
};

}  // namespace

Op make_convolution(const vae_convolution& shape, const Place& place) {
  return std::make_unique<Convolution>(shape, place);
}

}  // namespace torch_backend
