#include "runtime/onednn/convolution.h"

#include <algorithm>
#include <stdexcept>

#include "runtime/onednn/threads.h"

namespace onednn {
namespace {

void check_axis(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  if (in < 1 || out < 1 || kernel < 1 || stride < 1 || padding < 0)
    throw std::invalid_argument("a convolution has an empty extent");
  const int64_t far = far_padding(in, out, kernel, stride, padding);
  if ((in + padding + far - kernel) / stride + 1 != out)
    throw std::invalid_argument("the two sides of a convolution do not fit together");
}

void check(const vae_convolution& shape) {
  if (shape.batch < 1 || shape.in_channels < 1 || shape.out_channels < 1)
    throw std::invalid_argument("a convolution has an empty extent");
  if (shape.direction < VAE_FORWARD || shape.direction > VAE_BACKWARD_WEIGHTS)
    throw std::invalid_argument("a convolution has no such direction");
  check_axis(shape.in_h, shape.out_h, shape.kernel_h, shape.stride_h, shape.padding_h);
  check_axis(shape.in_w, shape.out_w, shape.kernel_w, shape.stride_w, shape.padding_w);
}

Op choose(const vae_convolution& shape, vae_precision precision) {
  if (is_flat(shape)) return make_flat_convolution(shape, precision);
  if (is_contraction(shape)) return make_contraction(shape);
  // With so few channels rounding costs more time than it saves.
  if (std::min(shape.in_channels, shape.out_channels) <= few_channels) precision = VAE_FP32;
  if (is_mirrored(shape)) return make_mirrored_weights(shape);
  if (precision == VAE_BF16 && is_patched(shape)) return make_patched_weights(shape);
  try {
    if (precision == VAE_FP32 && is_blocked(shape)) return make_image_blocks(shape);
    if (precision == VAE_FP32 && is_summed_by_rows(shape)) return make_row_weights(shape);
  } catch (const std::runtime_error&) {
    // libxsmm has no code for these products, or no memory for code. oneDNN computes them too.
  }
  return make_direct_convolution(shape, precision);
}

}  // namespace

int64_t far_padding(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  return std::max<int64_t>(0, (out - 1) * stride + kernel - in - padding);
}

Op make_convolution(const vae_convolution& shape, vae_precision precision) {
  check(shape);
  const double flops = 2.0 * double(shape.batch * shape.out_h * shape.out_w) *
                       double(shape.out_channels * shape.in_channels) *
                       double(shape.kernel_h * shape.kernel_w);
  const bool alone = flops < flops_for_one_thread;
  const Alone while_prepared(alone);
  Op op = choose(shape, precision);
  op->flops = flops;
  op->alone = alone;
  return op;
}

}  // namespace onednn
