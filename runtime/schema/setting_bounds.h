// The ranges of settings. Each key has one range, whether its value comes from a learn block, a flag, the
// environment or a run's config.json.
#pragma once
#include <cstdint>
#include <limits>

struct WholeRange {
  int64_t least, most;
};

namespace bounds {

constexpr int64_t exact = int64_t{1} << 53;  // whole numbers up to this are exact in a double
constexpr WholeRange steps = {0, exact}, seed = {0, exact}, every = {0, exact};
// Small enough that the product of a batch with the sizes of its tensors does not overflow 2^63 before memory
// ends.
constexpr WholeRange batch = {1, std::numeric_limits<int32_t>::max()};
// Numbers of samples, sweeps, chains and rows to draw.
constexpr WholeRange counts = {1, std::numeric_limits<int32_t>::max()};
// Number of terms of a sum over enumerated variables. The term numbers, and their halves, are exact in a
// float.
constexpr WholeRange enumerated = {1, 1 << 16};
constexpr WholeRange threads = {0, 1 << 16};
// Rates and similar numbers are rounded to float.
constexpr double most_real = std::numeric_limits<float>::max();

}  // namespace bounds
