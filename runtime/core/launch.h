// How a GPU launches a loop kernel. In: the kernel's mapping (runtime/image.md), the sizes of its loop, the
// number of the GPU's multiprocessors. Out: the number of blocks, and of threads for each kept element.
#pragma once
#include <cstdint>

#include "runtime/schema/description.h"

namespace core {

using schema::DeviceKernel;

struct Launch {
  uint32_t blocks_x = 1, blocks_y = 1, threads = 256;
  uint32_t log_width = 0;  // 2^log_width threads share a kept element of a reduction
};

/// `kept` and `reduced` count elements; `processors`: the GPU's multiprocessors. If nothing is kept, there
/// are no blocks.
Launch plan_launch(const DeviceKernel& kernel, int64_t kept, int64_t reduced, int processors);

/// How many doubles the blocks of the kept elements pass on as partial sums; 0 if each element has one block.
/// The last block of an element adds them.
inline int64_t partial_sums(const DeviceKernel& kernel, const Launch& launch, int64_t kept) {
  return launch.blocks_y > 1 ? int64_t{kernel.sums} * launch.blocks_y * kept : 0;
}

}  // namespace core
