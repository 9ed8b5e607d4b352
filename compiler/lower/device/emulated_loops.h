// Compiles loops as GPU kernels in the form that a CPU runs, block by block (grid.h). Tests compare them with
// the CPU's kernels. In: loops. Out: their arrangements, how they are launched, and their code.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "compiler/lower/device/device_kernel.h"
#include "compiler/lower/loops/arrange.h"

namespace lower {

class EmulatedLoops {
 public:
  using Code = void (*)(void** parameters, uint32_t block_x, uint32_t block_y, uint32_t blocks_x,
                        uint32_t blocks_y, uint32_t threads);

  /// `joined`: also makes a kernel that joins all of them.
  explicit EmulatedLoops(const std::vector<tensor::Loop>& loops, bool joined = false);
  ~EmulatedLoops();

  const Arrangement& arrangement(size_t loop) const;
  const DeviceKernel& kernel(size_t loop) const;
  Code code(size_t loop) const;
  /// All loops in one kernel, if it was asked for.
  Code joined_code() const;
  const JoinedKernel& joined_kernel() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace lower
