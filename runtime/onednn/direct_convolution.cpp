#include "runtime/onednn/convolution.h"
#include "runtime/onednn/primitive.h"

namespace onednn {
namespace {

using Tag = dnnl::memory::format_tag;
using dnnl::memory;

/// Channels-last activations, and the weights in the layout that oneDNN asks for: they are small, so copying
/// them costs little beside the convolution.
class DirectConvolution final : public vae_heavy_op {
 public:
  explicit DirectConvolution(const vae_convolution& shape);

  void run(const float* a, const float* b, float* c) override {
    const bool weights_are_result = direction_ == VAE_BACKWARD_WEIGHTS;
    if (!same_layout_ && !weights_are_result) {
      reorder_.bind(0, b);
      reorder_.run();
    }
    call_.bind(0, a);
    if (same_layout_ || weights_are_result) call_.bind(1, b);
    if (same_layout_ || !weights_are_result) call_.bind(2, c);
    call_.run();
    if (!same_layout_ && weights_are_result) {
      reorder_.bind(1, c);
      reorder_.run();
    }
  }

 private:
  template <class Primitive, class Description>
  void adopt(const Description& description, const std::vector<std::pair<int, memory::desc>>& arguments) {
    call_ = Call(Primitive(description), description.scratchpad_desc(), arguments);
    this->description = description.impl_info_str();
  }

  int direction_;
  bool same_layout_ = false;
  Call call_, reorder_;
};

DirectConvolution::DirectConvolution(const vae_convolution& s) : direction_(s.direction) {
  const auto kind = memory::data_type::f32;
  const memory::desc source = plain({s.batch, s.in_channels, s.in_h, s.in_w}, Tag::nhwc);
  const memory::desc destination = plain({s.batch, s.out_channels, s.out_h, s.out_w}, Tag::nhwc);
  const memory::dims weight_dims{s.out_channels, s.in_channels, s.kernel_h, s.kernel_w};
  const memory::desc any(weight_dims, kind, Tag::any);
  const memory::desc plain_weights(weight_dims, kind, Tag::oihw);
  const memory::dims strides{s.stride_h, s.stride_w}, near{s.padding_h, s.padding_w};
  const memory::dims far{far_padding(s.in_h, s.out_h, s.kernel_h, s.stride_h, s.padding_h),
                         far_padding(s.in_w, s.out_w, s.kernel_w, s.stride_w, s.padding_w)};
  const auto direct = dnnl::algorithm::convolution_direct;

  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, direct, source, any, destination, strides, near, far},
      shared_scratch(), cpu());
  memory::desc weights;
  if (s.direction == VAE_FORWARD) {
    weights = forward.weights_desc();
    adopt<dnnl::convolution_forward>(
        forward, {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, destination}});
  } else if (s.direction == VAE_BACKWARD_DATA) {
    const dnnl::convolution_backward_data::primitive_desc backward(
        {direct, source, any, destination, strides, near, far}, shared_scratch(), cpu(), forward);
    weights = backward.weights_desc();
    adopt<dnnl::convolution_backward_data>(
        backward,
        {{DNNL_ARG_DIFF_DST, destination}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, source}});
  } else {
    const dnnl::convolution_backward_weights::primitive_desc backward(
        {direct, source, any, destination, strides, near, far}, shared_scratch(), cpu(), forward);
    weights = backward.diff_weights_desc();
    adopt<dnnl::convolution_backward_weights>(
        backward,
        {{DNNL_ARG_SRC, source}, {DNNL_ARG_DIFF_DST, destination}, {DNNL_ARG_DIFF_WEIGHTS, weights}});
  }

  same_layout_ = weights == plain_weights;
  if (same_layout_) return;
  const memory own(weights, cpu());
  if (s.direction == VAE_BACKWARD_WEIGHTS) {
    reorder_ = make_reorder(weights, plain_weights);
    reorder_.bind(0, own);
    call_.bind(2, own);
  } else {
    reorder_ = make_reorder(plain_weights, weights);
    reorder_.bind(1, own);
    call_.bind(1, own);
  }
}

}  // namespace

Op make_direct_convolution(const vae_convolution& shape) {
  return std::make_unique<DirectConvolution>(shape);
}

}  // namespace onednn
