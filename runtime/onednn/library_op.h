// In: the shape of one GEMM or convolution, and fp32 or bf16. Out: an object that runs it. The constructor
// does all slow work and all allocation. run() is called by one thread at a time and starts threads itself.
// The number of threads is the one that was set when the operation was prepared.
#pragma once
#include <memory>
#include <string>

#include "runtime/abi.h"

struct vae_library_op {
  virtual ~vae_library_op() = default;
  virtual void run(const float* a, const float* b, float* c) = 0;

  std::string description;  // the code that does the work; never begins with `ref`
  double flops = 0;
  bool alone = false;  // prepared for one thread, so it must run on one
};

namespace onednn {

using Op = std::unique_ptr<vae_library_op>;

/// Throws std::invalid_argument if an extent is not positive.
Op make_gemm(const vae_gemm& shape, vae_precision precision);

/// Throws std::invalid_argument if the extents of the two sides do not fit together.
Op make_convolution(const vae_convolution& shape, vae_precision precision);

}  // namespace onednn
