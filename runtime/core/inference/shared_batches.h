// Batches of rows that the ranks of a command share. Every batch makes equally many draws, so a rank knows
// the random numbers of its batches once it has made the first one. The results are those of one rank, bit
// for bit.
#pragma once
#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "runtime/core/inference/sampler.h"
#include "runtime/core/ranks/ranks.h"

namespace core {

/// Computes batches 0, 1, ... of this rank, in order. A batch that does not count is computed only for its
/// number of draws.
inline void for_each_shared_batch(const Ranks& ranks, Sampler& sampler, int64_t batches,
                                  const std::function<void(int64_t batch, bool counts)>& compute) {
  if (batches == 0) return;
  const RowShare share = ranks.share(batches);
  const uint64_t start = sampler.step();
  compute(0, share.counts && share.first == 0);
  const uint64_t draws = sampler.step() - start;
  const auto seek = [&](int64_t batch) { sampler.set_step(start + static_cast<uint64_t>(batch) * draws); };
  for (int64_t batch = std::max<int64_t>(1, share.first); share.counts && batch < share.first + share.rows;
       ++batch) {
    seek(batch);
    compute(batch, true);
  }
  seek(batches);
}

/// The numbers of all ranks, in their order. All ranks must call it.
template <class Number>
std::vector<Number> joined(Ranks& ranks, const std::vector<Number>& own) {
  if (!ranks.is_several()) return own;
  std::vector<Number> all;
  for (const std::string& bytes :
       ranks.gather(std::string(reinterpret_cast<const char*>(own.data()), own.size() * sizeof(Number)))) {
    const size_t begin = all.size();
    all.resize(begin + bytes.size() / sizeof(Number));
    std::memcpy(all.data() + begin, bytes.data(), bytes.size());
  }
  return all;
}

}  // namespace core
