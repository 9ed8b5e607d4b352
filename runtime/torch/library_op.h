// In: the shape of one GEMM or convolution, the device and the precision. Out: an object that runs it.
// Operands are used in place, and copied only in bf16 or for padding. The result is written to the caller's
// memory; if LibTorch's operation cannot write there, it is copied from a tensor of LibTorch. Pointers are
// device pointers.
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

/// The device of the tensors, and the precision of products.
struct Place {
  c10::Device device = c10::Device(c10::DeviceType::CPU);
  bool bf16 = false, tf32 = false;
  bool benchmark = false;  // cuDNN's algorithms are chosen by timing them

  /// A tensor in memory that somebody else owns. `strides`: in elements, per axis.
  at::Tensor view(const float* data, c10::IntArrayRef sizes, c10::IntArrayRef strides) const;
  /// An operand of a product: the tensor itself, or its copy in bf16.
  at::Tensor operand(const at::Tensor& tensor) const;
  /// For example "torch cpu mm".
  std::string describe(const std::string& operation) const;
};

/// Where the operations run that are prepared from now on.
c10::Device device_of_calls();

/// Sets the number of threads of LibTorch and of its BLAS.
void set_threads(int threads);

/// Throws std::invalid_argument if an extent is not positive.
Op make_gemm(const vae_gemm& shape, const Place& place);

/// Throws std::invalid_argument if the extents of the two sides do not fit together.
Op make_convolution(const vae_convolution& shape, const Place& place);

}  // namespace torch_backend
