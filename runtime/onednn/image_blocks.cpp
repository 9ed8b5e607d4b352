#include <algorithm>
#include <array>
#include <vector>

#include "runtime/onednn/convolution.h"
#include "runtime/onednn/primitive.h"
#include "runtime/onednn/product_sum.h"

namespace onednn {
namespace {

constexpr int64_t most_taps = 64;

/// One product in the sum for an output, along one axis.
struct Tap {
  int64_t tap, place;  // tap of the kernel, place in the operand
};

std::vector<std::vector<Tap>> taps_of(bool forward, int64_t in, int64_t out, int64_t kernel, int64_t stride,
                                      int64_t padding) {
  std::vector<std::vector<Tap>> taps(static_cast<size_t>(forward ? out : in));
  for (int64_t to = 0; to < out; ++to)
    for (int64_t tap = 0; tap < kernel; ++tap) {
      const int64_t from = to * stride + tap - padding;
      if (from < 0 || from >= in) continue;
      if (forward)
        taps[static_cast<size_t>(to)].push_back({tap, from});
      else
        taps[static_cast<size_t>(from)].push_back({tap, to});
    }
  return taps;
}

/// Forward and backward-data: computes the same place of a dozen images at a time. All images are treated
/// alike, so strides and edges only change which products are added. Sums stay in registers, weights in the
/// cache.
class ImageBlocks final : public vae_library_op {
 public:
  explicit ImageBlocks(const vae_convolution& s);

  void run(const float* in, const float* weights, float* out) override {
    order_.bind(0, weights);
    order_.run();
    const auto height = static_cast<int64_t>(rows_.size());
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t block = 0; block < blocks_; ++block)
      for (int64_t y = 0; y < height; ++y) {
        const int64_t larger = std::min(block, larger_);  // number of larger blocks before this one
        const int64_t image = block * images_ + larger;
        run_row(block < larger_ ? larger_block_ : block_, images_ + (block < larger_), in + image * in_image_,
                y, out + image * out_image_);
      }
  }

 private:
  /// Computes row `y` of the outputs of some images.
  void run_row(const ProductSum& sum, int64_t images, const float* in, int64_t y, float* out) const {
    const float* const matrices = static_cast<const float*>(ordered_.get_data_handle());
    std::array<const float*, most_taps> matrix;
    std::array<const float*, most_taps> from;
    float* to = out + y * static_cast<int64_t>(columns_.size()) * outputs_;
    for (const std::vector<Tap>& column : columns_) {
      size_t count = 0;
      for (const Tap& row : rows_[static_cast<size_t>(y)])
        for (const Tap& tap : column) {
          matrix[count] = matrices + (row.tap * kernel_w_ + tap.tap) * depth_ * outputs_;
          from[count++] = in + (row.place * in_w_ + tap.place) * depth_;
        }
      if (count)
        sum(matrix.data(), from.data(), to, count);
      else
        for (int64_t image = 0; image < images; ++image) std::fill_n(to + image * out_image_, outputs_, 0.0f);
      to += outputs_;
    }
  }

  std::vector<std::vector<Tap>> rows_, columns_;  // for each row and column of outputs
  int64_t depth_, outputs_;                       // number of channels of the operand and of the result
  int64_t kernel_w_, in_w_, in_image_, out_image_;
  int64_t blocks_, images_, larger_;  // `larger_` blocks have one image more than `images_`
  ProductSum block_, larger_block_;
  dnnl::memory ordered_;  // weights: [kernel_h][kernel_w][depth][outputs]
  Call order_;
};

/// The number of images whose sums fit in the registers: 32 vectors of 16 floats, some of which hold
/// operands.
int64_t images_at_once(int64_t outputs) {
  if (outputs >= 64) return 12;
  return outputs == 48 ? 9 : outputs == 32 ? 14 : 28;
}

ImageBlocks::ImageBlocks(const vae_convolution& s) {
  const bool forward = s.direction == VAE_FORWARD;
  rows_ = taps_of(forward, s.in_h, s.out_h, s.kernel_h, s.stride_h, s.padding_h);
  columns_ = taps_of(forward, s.in_w, s.out_w, s.kernel_w, s.stride_w, s.padding_w);
  depth_ = forward ? s.in_channels : s.out_channels;
  outputs_ = forward ? s.out_channels : s.in_channels;
  kernel_w_ = s.kernel_w;
  in_w_ = forward ? s.in_w : s.out_w;
  in_image_ = (forward ? s.in_h : s.out_h) * in_w_ * depth_;
  out_image_ = static_cast<int64_t>(rows_.size() * columns_.size()) * outputs_;
  const int64_t most = images_at_once(outputs_);
  blocks_ = (s.batch + most - 1) / most;
  images_ = s.batch / blocks_;
  larger_ = s.batch % blocks_;
  ProductSumShape sum{images_, depth_, outputs_, in_image_, outputs_, out_image_, false, false};
  block_ = ProductSum(sum);
  if (larger_) {
    ++sum.rows;
    larger_block_ = ProductSum(sum);
  }
  using Dims = dnnl::memory::dims;
  const Dims weights{s.out_channels, s.in_channels, s.kernel_h, s.kernel_w};
  const int64_t tap = depth_ * outputs_;
  const Dims steps{forward ? 1 : outputs_, forward ? outputs_ : 1, s.kernel_w * tap, tap};
  ordered_ = dnnl::memory({weights, dnnl::memory::data_type::f32, steps}, cpu());
  order_ = make_reorder(plain(weights, dnnl::memory::format_tag::oihw), ordered_.get_desc());
  order_.bind(1, ordered_);
  description = "image blocks, libxsmm";
}

}  // namespace

// From measurements (tests/bench/library_bench.cpp). oneDNN is as fast or faster if there are few images, or
// if the weights do not stay in the cache while the images are processed. The same holds if an image takes a
// whole number of memory pages: the same place of all images then falls into the same cache lines.
bool is_blocked(const vae_convolution& s) {
  constexpr int64_t in_the_cache = 3 << 17, page = 1 << 10, largest_image = 1 << 24;  // floats
  const bool forward = s.direction == VAE_FORWARD;
  const int64_t outputs = forward ? s.out_channels : s.in_channels;
  const int64_t depth = forward ? s.in_channels : s.out_channels;
  const int64_t taps = s.kernel_h * s.kernel_w;
  const int64_t in_image = s.in_h * s.in_w * s.in_channels, out_image = s.out_h * s.out_w * s.out_channels;
  return s.direction != VAE_BACKWARD_WEIGHTS && outputs % 16 == 0 && depth >= 16 && taps <= most_taps &&
         taps * depth * outputs <= in_the_cache && in_image % page != 0 && out_image % page != 0 &&
         std::max(in_image, out_image) < largest_image &&
         s.batch >= (forward && s.stride_h * s.stride_w == 1 ? 64 : 32) && sums_products();
}

Op make_image_blocks(const vae_convolution& shape) { return std::make_unique<ImageBlocks>(shape); }

}  // namespace onednn
