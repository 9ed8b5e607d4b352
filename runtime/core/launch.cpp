#include "runtime/core/launch.h"

#include <algorithm>

namespace core {
namespace {

constexpr int64_t waves = 16;       // most blocks per processor; beyond that, threads take several elements
constexpr int64_t share = 8;        // fewest elements of a sum that make a thread worthwhile
constexpr int64_t coalesced = 32;   // neighbouring threads that read neighbouring elements in one access
constexpr int64_t most_parts = 64;  // most blocks that share a sum, because one thread adds their results

int64_t divided_up(int64_t number, int64_t by) { return (number + by - 1) / by; }

uint32_t log2_below(int64_t number) {
  uint32_t log = 0;
  while ((int64_t{2} << log) <= number) ++log;
  return log;
}

}  // namespace

Launch plan_launch(const DeviceKernel& kernel, int64_t kept, int64_t reduced, int processors) {
  Launch launch;
  launch.threads = kernel.threads;
  if (kept == 0) {
    launch.blocks_x = 0;
    return launch;
  }
  const int64_t threads = kernel.threads;
  if (!kernel.reduces()) {
    using Mapping = DeviceKernel::Mapping;
    const int64_t wanted = kernel.mapping == Mapping::draws   ? divided_up(kept, 128) * 32
                           : kernel.mapping == Mapping::quads ? divided_up(kept, 4)
                                                              : kept;
    launch.blocks_x =
        static_cast<uint32_t>(std::clamp<int64_t>(divided_up(wanted, threads), 1, waves * processors));
    return launch;
  }
  int64_t widest = threads;
  if (kernel.mapping == DeviceKernel::Mapping::columns) {
    // As many neighbouring threads as there are kept elements, up to what one access to memory brings.
    int64_t columns = 1;
    while (columns < std::min(kept, coalesced)) columns *= 2;
    widest = threads / columns;
  }
  launch.log_width = log2_below(std::clamp<int64_t>(reduced / share, 1, widest));
  const int64_t width = int64_t{1} << launch.log_width, per_block = threads / width;
  const int64_t tiles = divided_up(kept, per_block);
  launch.blocks_x = static_cast<uint32_t>(tiles);
  const int64_t useful = divided_up(2 * processors, tiles);  // parts that give each processor two blocks
  const int64_t possible = reduced / (width * share);        // parts that still give each thread enough to do
  launch.blocks_y = static_cast<uint32_t>(std::clamp<int64_t>(std::min(useful, possible), 1, most_parts));
  return launch;
}

}  // namespace core
