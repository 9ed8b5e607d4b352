// In: the shape of one GEMM or convolution, where it runs and how precisely. Out: an object that runs it.
// Holds: what it is given is seen, never copied; the result is written into the caller's memory, through a
// tensor of LibTorch's where its operation takes no destination. Pointers are the device's.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "runtime/abi.h"

struct vae_library_op {
  virtual ~vae_library_op() = default;
  virtual void run(const float* a, const float* b, float* c) = 0;

  std::string description;
  double flops = 0;
};

namespace torch_backend {

using Op = std::unique_ptr<vae_library_op>;

/// Where tensors lie, and in which type they are multiplied.
struct Place {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  bool bf16 = false;

  /// A tensor over memory that somebody else holds. `strides`: of elements, per axis.
  at::Tensor view(const float* data, c10::IntArrayRef sizes, c10::IntArrayRef strides) const;
  /// What is multiplied: the tensor itself, or its copy in bf16.
  at::Tensor operand(const at::Tensor& tensor) const;
  /// "torch cpu mm".
  std::string describe(const std::string& operation) const;
};

/// Of LibTorch, and of its BLAS.
void set_threads(int threads);

/// Throws std::invalid_argument if an extent is not positive.
Op make_gemm(const vae_gemm& shape, const Place& place);

/// Throws std::invalid_argument if the extents of the two sides do not fit together.
Op make_convolution(const vae_convolution& shape, const Place& place);

}  // namespace torch_backend
