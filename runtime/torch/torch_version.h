// The differences between the versions of LibTorch that this folder can be built against (1.13 to 2.11). No
// other file may depend on the version.
#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/ops/mm.h>
#include <torch/version.h>

#include <utility>
#ifdef VAERT_TORCH_POOLS  // CMake has compiled allocate_in_pool
#include <c10/cuda/CUDACachingAllocator.h>
#endif

// Streams of LibTorch 2.11 give the driver's handle. In earlier versions only headers of the CUDA toolkit
// gave it.
template <class Stream>
concept HasNativeHandle = requires(const Stream& stream) { stream.native_handle(); };

/// Debian 13's LibTorch 2.6 convolves with oneDNN 3.7, which is wrong if it pads weights
/// (runtime/onednn/onednn_version.h). LibTorch's own convolutions are used in versions 2.0 to 2.6.
constexpr bool onednn_convolves =
    TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR > 6);

/// Begins or ends to allocate all memory of the device from one private pool. The pool is never released, so
/// its memory stays LibTorch's. The pools' interface exists since version 2.2 and needs CUDA's headers;
/// without them it returns false.
inline bool allocate_in_pool([[maybe_unused]] c10::DeviceIndex device, [[maybe_unused]] bool begins) {
#ifdef VAERT_TORCH_POOLS
  // LibTorch counts the second number of its own pools up from 1.
  const std::pair<unsigned long long, unsigned long long> pool(0, 1ULL << 48);
  auto* allocator = c10::cuda::CUDACachingAllocator::get();
  if (begins)
    allocator->beginAllocateToPool(device, pool, [](auto) { return true; });
  else
    allocator->endAllocateToPool(device, pool);
  return true;
#else
  return false;
#endif
}

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
