#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/onednn/convolution.h"
#include "runtime/onednn/onednn_version.h"
#include "runtime/onednn/primitive.h"

namespace onednn {
namespace {

using Tag = dnnl::memory::format_tag;
using Kind = dnnl::memory::data_type;
using dnnl::memory;
using Bf16 = uint16_t;

/// dW[o][i] = sum over windows of dY[window][o] inputs[window][i]. Computed as GEMMs of a few hundred
/// windows, whose inputs are gathered side by side and stay in the cache. oneDNN's own convolution in bf16
/// transposes both sides.
class PatchedWeights final : public vae_library_op {
 public:
  explicit PatchedWeights(const vae_convolution& s);

  void run(const float* source, const float* destination, float* weights) override {
    round_source_.bind(0, source);
    round_source_.run();
    round_destination_.bind(0, destination);
    round_destination_.run();
    float* const sums = static_cast<float*>(sums_.get_data_handle());
    std::fill_n(sums, shape_.out_channels * patch_, 0.0f);
    const Bf16* const adjoints = static_cast<Bf16*>(destination_.get_data_handle());
    for (int64_t first = 0; first < places_; first += at_once_) {
      const int64_t count = std::min(at_once_, places_ - first);
      gather(first, count);
      Call& call = count == at_once_ ? whole_ : rest_;
      call.bind(0, adjoints + first * shape_.out_channels);
      call.run();
    }
    order_.bind(1, weights);
    order_.run();
  }

 private:
  Call multiply(int64_t places);

  /// Gathers the numbers under `count` windows, from window `first` on. Outside of the image they are 0.
  void gather(int64_t first, int64_t count) {
    const vae_convolution& s = shape_;
    const Bf16* const source = static_cast<const Bf16*>(source_.get_data_handle());
    Bf16* const patches = static_cast<Bf16*>(patches_.get_data_handle());
    const int64_t line = s.kernel_w * s.in_channels;
#pragma omp parallel for schedule(static)
    for (int64_t place = first; place < first + count; ++place) {
      const int64_t row = place / s.out_w, image = row / s.out_h;
      const int64_t top = row % s.out_h * s.stride_h - s.padding_h;
      const int64_t left = place % s.out_w * s.stride_w - s.padding_w;
      const int64_t begin = std::clamp<int64_t>(-left, 0, s.kernel_w) * s.in_channels;
      const int64_t end = std::clamp<int64_t>(s.in_w - left, 0, s.kernel_w) * s.in_channels;
      Bf16* to = patches + (place - first) * patch_;
      for (int64_t y = top; y < top + s.kernel_h; ++y, to += line) {
        if (y < 0 || y >= s.in_h || begin >= end) {
          std::fill_n(to, line, Bf16{0});
          continue;
        }
        std::fill_n(to, begin, Bf16{0});
        const Bf16* const from = source + ((image * s.in_h + y) * s.in_w + left) * s.in_channels + begin;
        std::memcpy(to + begin, from, static_cast<size_t>(end - begin) * sizeof(Bf16));
        std::fill_n(to + end, line - end, Bf16{0});
      }
    }
  }

  vae_convolution shape_;
  int64_t patch_;             // numbers in a window: [kernel_h][kernel_w][in_channels]
  int64_t places_, at_once_;  // numbers of windows: batch x out_h x out_w in all; gathered at once
  memory source_, destination_, patches_, sums_;
  Call round_source_, round_destination_, whole_, rest_, order_;
};

PatchedWeights::PatchedWeights(const vae_convolution& s)
    : shape_(s), patch_(s.kernel_h * s.kernel_w * s.in_channels), places_(s.batch * s.out_h * s.out_w) {
  constexpr int64_t in_the_cache = 512;
  at_once_ = std::min(in_the_cache, places_);
  const memory::dims sources{s.batch, s.in_channels, s.in_h, s.in_w};
  const memory::dims destinations{s.batch, s.out_channels, s.out_h, s.out_w};
  const memory::dims weights{s.out_channels, s.in_channels, s.kernel_h, s.kernel_w};
  source_ = memory({sources, Kind::bf16, Tag::nhwc}, cpu());
  destination_ = memory({destinations, Kind::bf16, Tag::nhwc}, cpu());
  patches_ = memory({{at_once_, patch_}, Kind::bf16, Tag::ab}, cpu());
  sums_ = memory({weights, Kind::f32, Tag::ohwi}, cpu());
  round_source_ = make_reorder(plain(sources, Tag::nhwc), source_.get_desc());
  round_source_.bind(1, source_);
  round_destination_ = make_reorder(plain(destinations, Tag::nhwc), destination_.get_desc());
  round_destination_.bind(1, destination_);
  whole_ = multiply(at_once_);
  if (places_ % at_once_) rest_ = multiply(places_ % at_once_);
  order_ = make_reorder(sums_.get_desc(), plain(weights, Tag::oihw));
  order_.bind(0, sums_);
}

Call PatchedWeights::multiply(int64_t places) {
  const memory::desc adjoints({shape_.out_channels, places}, Kind::bf16, Tag::ba);
  const memory::desc patches({places, patch_}, Kind::bf16, Tag::ab);
  const memory::desc sums = plain({shape_.out_channels, patch_}, Tag::ab);
  dnnl::post_ops adds;
  adds.append_sum(1.0f);
  dnnl::primitive_attr attributes;  // no copy of shared_scratch(): a copy would share the sum
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(adds);
  const auto matmul = descriptor_of<dnnl::matmul>(cpu(), attributes, adjoints, patches, sums);
  Call call(dnnl::matmul(matmul), matmul.scratchpad_desc(),
            {{DNNL_ARG_SRC, adjoints}, {DNNL_ARG_WEIGHTS, patches}, {DNNL_ARG_DST, sums}});
  call.bind(1, memory(patches, cpu(), patches_.get_data_handle()));
  call.bind(2, memory(sums, cpu(), sums_.get_data_handle()));
  description = std::string("patches, ") + matmul.impl_info_str();
  return call;
}

}  // namespace

bool is_patched(const vae_convolution& s) {
  // For other shapes gathering costs more than it saves. It costs most if a window has few numbers, if its
  // inputs are multiplied with few channels, or if each input is in many windows.
  return s.direction == VAE_BACKWARD_WEIGHTS && s.in_channels * s.kernel_h * s.kernel_w >= 256 &&
         s.out_channels * s.stride_h * s.stride_w >= 64;
}

Op make_patched_weights(const vae_convolution& shape) { return std::make_unique<PatchedWeights>(shape); }

}  // namespace onednn
