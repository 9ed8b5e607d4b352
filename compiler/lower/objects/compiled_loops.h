// Compiles loops in memory, so that they can be called one by one. In: loops. Out: their arrangements and
// kernels.
#pragma once
#include <memory>
#include <vector>

#include "compiler/lower/loops/arrange.h"
#include "runtime/abi.h"

namespace lower {

class CompiledLoops {
 public:
  explicit CompiledLoops(const std::vector<tensor::Loop>& loops);
  ~CompiledLoops();

  const Arrangement& arrangement(size_t loop) const;
  vae_kernel kernel(size_t loop) const;
  /// The number of kernels. Equal loops share one.
  size_t kernel_count() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lower
