// The differences between the versions of LibTorch that this folder can be built against (1.13 to 2.11). No
// other file may depend on the version.
#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <torch/version.h>

// Streams of LibTorch 2.11 give the driver's handle. In earlier versions only headers of the CUDA toolkit
// gave it.
template <class Stream>
concept HasNativeHandle = requires(const Stream& stream) { stream.native_handle(); };

/// Debian 13's LibTorch 2.6 convolves with oneDNN 3.7, which is wrong if it pads weights
/// (runtime/onednn/onednn_version.h). LibTorch's own convolutions are used in versions 2.0 to 2.6.
constexpr bool onednn_convolves =
    TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR > 6);

/// Forbids cuBLAS to add up products in bf16. The switch exists since version 2.0.
template <class Context>
void forbid_sums_in_bf16(Context& context) {
  if constexpr (requires { context.setAllowBF16ReductionCuBLAS(false); })
    context.setAllowBF16ReductionCuBLAS(false);
}

/// result = a b, in fp32, for operands in bf16. Products of two numbers in bf16 are exact in fp32, so
/// versions that cannot give another type than that of the operands compute the same in fp32, more slowly.
template <class Tensor>
void multiply_bf16(Tensor& result, const Tensor& a, const Tensor& b) {
  if constexpr (requires { at::mm_out(result, a, b, at::kFloat); }) {
    if (result.is_cuda()) {
      at::mm_out(result, a, b, at::kFloat);
      return;
    }
  }
  at::mm_out(result, a.to(at::kFloat), b.to(at::kFloat));
}
