// In: a convolution whose two sides fit together. Out: an operation for each way to compute it.
// make_convolution (library_op.h) chooses one by the shape alone, so results never depend on timing.
#pragma once
#include "runtime/onednn/library_op.h"

namespace onednn {

constexpr int64_t few_channels = 4;

/// The padding at the far end that gives `out` windows. The windows need not use the whole input, so it can
/// be 0.
int64_t far_padding(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding);

/// oneDNN's own convolution, which is correct for every shape.
Op make_direct_convolution(const vae_convolution& shape, vae_precision precision);

/// A convolution with one window that is the whole input: a GEMM. The program orders the elements of an
/// activation by (h, w, channel) and those of a weight by (channel, h, w). One of the two is therefore
/// transposed, the smaller one.
bool is_flat(const vae_convolution& shape);
Op make_flat_convolution(const vae_convolution& shape, vae_precision precision);

/// The direction that sums many channels into a few: forward if the output has few channels, backward-data if
/// the input has few. oneDNN would compute at least 16 channels and throw most of them away.
bool is_contraction(const vae_convolution& shape);
Op make_contraction(const vae_convolution& shape);

/// Backward-weights of a convolution with few output channels. It is computed as backward-weights of the
/// mirrored convolution, which has few input channels:
/// dw[o][i][t] = sum_q y'[q][o] x[q + t - p][i] = sum_r x[r][i] y'[r + (K-1-t) - (K-1-p)][o].
bool is_mirrored(const vae_convolution& shape);
Op make_mirrored_weights(const vae_convolution& shape);

/// Forward and backward-data with many channels and images, as sums of products over a block of images.
bool is_blocked(const vae_convolution& shape);
Op make_image_blocks(const vae_convolution& shape);

/// Backward-weights with many channels, as sums of products over rows of images.
bool is_summed_by_rows(const vae_convolution& shape);
Op make_row_weights(const vae_convolution& shape);

/// Backward-weights in bf16, as GEMMs of the inputs under the windows.
bool is_patched(const vae_convolution& shape);
Op make_patched_weights(const vae_convolution& shape);

}  // namespace onednn
