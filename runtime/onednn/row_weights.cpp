#include <omp.h>

#include <algorithm>
#include <array>
#include <vector>

#include "runtime/onednn/convolution.h"
#include "runtime/onednn/primitive.h"
#include "runtime/onednn/product_sum.h"

namespace onednn {
namespace {

constexpr int64_t most_rows = 64;

/// Backward-weights: for each tap, the products of some rows of adjoints with the inputs that the tap reads.
/// Each thread sums over its part of the rows; then the threads together add these sums.
class RowWeights final : public vae_library_op {
 public:
  explicit RowWeights(const vae_convolution& s);

  void run(const float* source, const float* destination, float* weights) override {
    const int64_t rows = shape_.batch * shape_.out_h;
#pragma omp parallel num_threads(threads_)
    {
      const int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
      float* const part = parts_.data() + thread * count_;
      std::fill_n(part, count_, 0.0f);
      const int64_t end = rows * (thread + 1) / threads;
      for (int64_t row = rows * thread / threads; row < end; row += at_once_)
        add_rows(source, destination, row, std::min(row + at_once_, end), part);
#pragma omp barrier
      float* const sums = static_cast<float*>(sums_.get_data_handle());
#pragma omp for schedule(static)
      for (int64_t i = 0; i < count_; ++i) {
        float sum = 0;
        for (int64_t other = 0; other < threads; ++other)
          sum += parts_[static_cast<size_t>(other * count_ + i)];
        sums[i] = sum;
      }
    }
    order_.bind(1, weights);
    order_.run();
  }

 private:
  /// For one column of taps: the columns of adjoints for which the tap lies inside the image.
  struct Column {
    int64_t first, count, from;  // first adjoint column, their number, first input column
    ProductSum sum;
  };

  void add_rows(const float* source, const float* destination, int64_t begin, int64_t end,
                float* part) const {
    const vae_convolution& s = shape_;
    std::array<const float*, most_rows> inputs;
    std::array<const float*, most_rows> adjoints;
    for (int64_t y = 0; y < s.kernel_h; ++y)
      for (const Column& column : columns_) {
        size_t count = 0;
        for (int64_t row = begin; column.count && row < end; ++row) {
          const int64_t from = row % s.out_h * s.stride_h + y - s.padding_h;
          if (from < 0 || from >= s.in_h) continue;
          adjoints[count] = destination + (row * s.out_w + column.first) * s.out_channels;
          inputs[count++] = source + ((row / s.out_h * s.in_h + from) * s.in_w + column.from) * s.in_channels;
        }
        if (count) column.sum(adjoints.data(), inputs.data(), part, count);
        part += s.in_channels * s.out_channels;
      }
  }

  vae_convolution shape_;
  int64_t count_, at_once_;  // number of weights; rows of adjoints multiplied at once
  int threads_;
  std::vector<Column> columns_;
  std::vector<float> parts_;  // [thread][kernel_h][kernel_w][in_channels][out_channels]
  dnnl::memory sums_;
  Call order_;
};

RowWeights::RowWeights(const vae_convolution& s)
    : shape_(s),
      count_(s.kernel_h * s.kernel_w * s.in_channels * s.out_channels),
      threads_(omp_get_max_threads()) {
  // If the sums of all taps fit in the first-level cache, as many rows are taken at once as fit beside them.
  // If not, many rows are taken at once, because loading and storing the sums would take too long for few
  // products.
  constexpr int64_t first_cache = 1 << 13, worth_loading = 256;  // in floats; in products
  const int64_t row = s.out_w * s.out_channels + s.in_w * s.in_channels;
  at_once_ = first_cache - count_ >= row ? (first_cache - count_) / row : worth_loading / s.out_w;
  at_once_ = std::clamp<int64_t>(at_once_, 1, most_rows);
  threads_ = static_cast<int>(std::min<int64_t>(threads_, (s.batch * s.out_h + at_once_ - 1) / at_once_));
  for (int64_t x = 0; x < s.kernel_w; ++x) {
    const int64_t first = std::max<int64_t>(0, (s.padding_w - x + s.stride_w - 1) / s.stride_w);
    const int64_t inside = s.in_w - 1 + s.padding_w - x;
    const int64_t count =
        inside < 0 ? 0 : std::max<int64_t>(0, std::min(s.out_w - 1, inside / s.stride_w) - first + 1);
    columns_.push_back({first, count, first * s.stride_w + x - s.padding_w, {}});
    if (count)
      columns_.back().sum = ProductSum({.rows = s.in_channels,
                                        .depth = count,
                                        .outputs = s.out_channels,
                                        .row_step = s.stride_w * s.in_channels,
                                        .matrix_step = s.out_channels,
                                        .out_step = s.out_channels,
                                        .transposed = true,
                                        .adds = true});
  }
  parts_.resize(static_cast<size_t>(threads_ * count_));
  const dnnl::memory::dims weights{s.out_channels, s.in_channels, s.kernel_h, s.kernel_w};
  sums_ = dnnl::memory(plain(weights, dnnl::memory::format_tag::hwio), cpu());
  order_ = make_reorder(sums_.get_desc(), plain(weights, dnnl::memory::format_tag::oihw));
  order_.bind(0, sums_);
  description = "rows, libxsmm";
}

}  // namespace

// From measurements (tests/bench/library_bench.cpp): without strides oneDNN is as fast or faster. The parts
// of all threads are written and read once more, so there must not be too many of them.
bool is_summed_by_rows(const vae_convolution& s) {
  constexpr int64_t most_weights = 1 << 20, most_in_parts = 1 << 23;
  const int64_t weights = s.in_channels * s.out_channels * s.kernel_h * s.kernel_w;
  return s.direction == VAE_BACKWARD_WEIGHTS && s.stride_h * s.stride_w > 1 && s.out_channels % 16 == 0 &&
         std::min(s.in_channels, s.out_channels) >= 32 && s.batch >= 32 && weights <= most_weights &&
         weights * omp_get_max_threads() <= most_in_parts && sums_products();
}

Op make_row_weights(const vae_convolution& shape) { return std::make_unique<RowWeights>(shape); }

}  // namespace onednn
