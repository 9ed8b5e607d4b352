// In: a convolution whose two sides fit together. Out: the ways of doing it; make_convolution (library_op.h)
// chooses by the shape alone, so that results never depend on timing.
#pragma once
#include "runtime/onednn/library_op.h"

namespace onednn {

constexpr int64_t few_channels = 4;

/// The padding at the far end that makes `out` the number of windows; windows need not use all of the input,
/// so where none is needed it is 0.
int64_t far_padding(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding);

/// oneDNN's own convolution: right for every shape.
Op make_direct_convolution(const vae_convolution& shape, vae_precision precision);

/// One window that is the whole input: a GEMM. Each side's element (h, w, channel) meets a weight (channel,
/// h, w), so one of the two is transposed: whichever is smaller.
bool is_flat(const vae_convolution& shape);
Op make_flat_convolution(const vae_convolution& shape, vae_precision precision);

/// The direction that sums many channels into a few: forward if the output has few channels, backward-data if
/// the input has. oneDNN would compute 16 channels or more and throw most of them away.
bool is_contraction(const vae_convolution& shape);
Op make_contraction(const vae_convolution& shape);

/// Backward-weights of a convolution with few output channels, by that of its mirror image with few input
/// channels: dw[o][i][t] = sum_q y'[q][o] x[q + t - p][i] = sum_r x[r][i] y'[r + (K-1-t) - (K-1-p)][o].
bool is_mirrored(const vae_convolution& shape);
Op make_mirrored_weights(const vae_convolution& shape);

/// Forward and backward-data of many channels and images: sums of products over a block of images.
bool is_blocked(const vae_convolution& shape);
Op make_image_blocks(const vae_convolution& shape);

/// Backward-weights of many channels: sums of products over rows of images.
bool is_summed_by_rows(const vae_convolution& shape);
Op make_row_weights(const vae_convolution& shape);

/// Backward-weights in bf16 as GEMMs of the inputs under the windows.
bool is_patched(const vae_convolution& shape);
Op make_patched_weights(const vae_convolution& shape);

}  // namespace onednn
