// The ranges of what a learn block, a flag, the environment or a run's config.json may say: one for each key,
// wherever it comes from.
#pragma once
#include <cstdint>
#include <limits>

struct WholeRange {
  int64_t least, most;
};

namespace bounds {

constexpr int64_t exact = int64_t{1} << 53;  // whole numbers up to this are exact in a double
constexpr WholeRange steps = {0, exact}, seed = {0, exact}, every = {0, exact};
// Products of a batch with the sizes of its tensors stay far from 2^63 until memory ends.
constexpr WholeRange batch = {1, std::numeric_limits<int32_t>::max()};
// Samples, sweeps, chains, rows to draw.
constexpr WholeRange counts = {1, std::numeric_limits<int32_t>::max()};
// Terms of a sum over enumerated variables: their numbers, and halves, are exact in a float.
constexpr WholeRange enumerated = {1, 1 << 16};
constexpr WholeRange threads = {0, 1 << 16};
// Rates and their like are rounded to float.
constexpr double most_real = std::numeric_limits<float>::max();

}  // namespace bounds
