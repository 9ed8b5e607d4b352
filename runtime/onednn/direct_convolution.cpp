#include <array>
#include <optional>

#include "runtime/onednn/blocked_weights.h"
#include "runtime/onednn/convolution.h"
#include "runtime/onednn/onednn_version.h"
#include "runtime/onednn/primitive.h"

namespace onednn {
namespace {

using Tag = dnnl::memory::format_tag;
using Kind = dnnl::memory::data_type;
using dnnl::memory;

/// Activations are channels-last; weights are copied to the layout that oneDNN asks for. Weights are small,
/// so the copy costs little compared with the convolution. In bf16 both operands are copied and rounded; sums
/// are fp32.
class DirectConvolution final : public vae_library_op {
 public:
  DirectConvolution(const vae_convolution& shape, vae_precision precision);

  void run(const float* a, const float* b, float* c) override {
    const std::array<const float*, 2> operands = {a, b};
    for (size_t i = 0; i < 2; ++i)
      if (copied_[i]) {
        if (blocked_at_ == i) {
          weights_.pack(operands[i], blocked_.get_data_handle());
        } else {
          copies_[i].bind(0, operands[i]);
          copies_[i].run();
        }
      } else {
        call_.bind(i, operands[i]);
      }
    if (!copied_[2]) call_.bind(2, c);
    call_.run();
    if (blocked_at_ == 2) {
      weights_.unpack(static_cast<const float*>(blocked_.get_data_handle()), c);
    } else if (copied_[2]) {
      copies_[2].bind(1, c);
      copies_[2].run();
    }
  }

 private:
  template <class Primitive, class Description>
  void adopt(const Description& description, const std::vector<std::pair<int, memory::desc>>& arguments) {
    call_ = Call(Primitive(description), description.scratchpad_desc(), arguments);
    this->description = description.impl_info_str();
  }

  /// Argument `position` has the layout `outside` in the program's memory and `inside` in oneDNN. Prepares a
  /// copy if they differ.
  void copy_where_they_differ(size_t position, const memory::desc& outside, const memory::desc& inside) {
    copied_[position] = outside != inside;
    if (!copied_[position]) return;
    const memory own = zeros(inside);
    const bool is_result = position == 2;
    copies_[position] = is_result ? make_reorder(inside, outside) : make_reorder(outside, inside);
    copies_[position].bind(is_result ? 0 : 1, own);
    call_.bind(position, own);
  }

  /// The same for the weights.
  void order_where_they_differ(size_t position, const memory::dims& dims, const memory::desc& inside,
                               bool bf16) {
    const memory::desc outside = plain(dims, Tag::oihw);
    if (reorders_blocks || outside == inside) return copy_where_they_differ(position, outside, inside);
    copied_[position] = true;
    blocked_at_ = position;
    weights_ = BlockedWeights(dims, inside, bf16);
    blocked_ = zeros(inside);
    call_.bind(position, blocked_);
  }

  std::array<bool, 3> copied_ = {};
  std::optional<size_t> blocked_at_;  // the argument that weights_ copies to or from blocked_
  BlockedWeights weights_;
  memory blocked_;
  std::array<Call, 3> copies_;
  Call call_;
};

DirectConvolution::DirectConvolution(const vae_convolution& s, vae_precision precision) {
  const Kind operand = precision == VAE_BF16 ? Kind::bf16 : Kind::f32;
  const auto kind_of = [&](int direction) { return s.direction == direction ? Kind::f32 : operand; };
  const memory::dims sources{s.batch, s.in_channels, s.in_h, s.in_w};
  const memory::dims destinations{s.batch, s.out_channels, s.out_h, s.out_w};
  const memory::dims weight_dims{s.out_channels, s.in_channels, s.kernel_h, s.kernel_w};
  const memory::desc source(sources, kind_of(VAE_BACKWARD_DATA), Tag::nhwc);
  const memory::desc destination(destinations, kind_of(VAE_FORWARD), Tag::nhwc);
  const memory::desc any(weight_dims, kind_of(VAE_BACKWARD_WEIGHTS), Tag::any);
  const memory::dims strides{s.stride_h, s.stride_w}, near{s.padding_h, s.padding_w};
  const memory::dims far{far_padding(s.in_h, s.out_h, s.kernel_h, s.stride_h, s.padding_h),
                         far_padding(s.in_w, s.out_w, s.kernel_w, s.stride_w, s.padding_w)};
  const auto direct = dnnl::algorithm::convolution_direct;

  const auto forward = descriptor_of<dnnl::convolution_forward>(
      cpu(), shared_scratch(), dnnl::prop_kind::forward_training, direct,
      memory::desc(sources, operand, Tag::nhwc), memory::desc(weight_dims, operand, Tag::any), destination,
      strides, near, far);
  const memory::desc plain_source = plain(sources, Tag::nhwc);
  const memory::desc plain_destination = plain(destinations, Tag::nhwc);
  if (s.direction == VAE_FORWARD) {
    adopt<dnnl::convolution_forward>(
        forward,
        {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, forward.weights_desc()}, {DNNL_ARG_DST, destination}});
    copy_where_they_differ(0, plain_source, source);
    order_where_they_differ(1, weight_dims, forward.weights_desc(), operand == Kind::bf16);
  } else if (s.direction == VAE_BACKWARD_DATA) {
    const auto backward = backward_descriptor_of<dnnl::convolution_backward_data>(
        cpu(), shared_scratch(), forward, direct, source, any, destination, strides, near, far);
    adopt<dnnl::convolution_backward_data>(backward, {{DNNL_ARG_DIFF_DST, destination},
                                                      {DNNL_ARG_WEIGHTS, backward.weights_desc()},
                                                      {DNNL_ARG_DIFF_SRC, source}});
    copy_where_they_differ(0, plain_destination, destination);
    order_where_they_differ(1, weight_dims, backward.weights_desc(), operand == Kind::bf16);
  } else {
    const auto backward = backward_descriptor_of<dnnl::convolution_backward_weights>(
        cpu(), shared_scratch(), forward, direct, source, any, destination, strides, near, far);
    adopt<dnnl::convolution_backward_weights>(backward,
                                              {{DNNL_ARG_SRC, source},
                                               {DNNL_ARG_DIFF_DST, destination},
                                               {DNNL_ARG_DIFF_WEIGHTS, backward.diff_weights_desc()}});
    copy_where_they_differ(0, plain_source, source);
    copy_where_they_differ(1, plain_destination, destination);
    order_where_they_differ(2, weight_dims, backward.diff_weights_desc(), false);
  }
}

}  // namespace

Op make_direct_convolution(const vae_convolution& shape, vae_precision precision) {
  return std::make_unique<DirectConvolution>(shape, precision);
}

}  // namespace onednn
