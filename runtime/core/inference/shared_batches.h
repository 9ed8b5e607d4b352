// Batches of rows that the ranks of a command share. Every batch makes equally many draws, so a rank knows
// the random numbers of its batches once it has made the first one. The results are those of one rank, bit
// for bit.
#pragma once
#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "runtime/core/inference/conditioner.h"
#include "runtime/core/ranks/ranks.h"

namespace core {

/// Computes batches 0, 1, ... of this rank, in order. A batch that does not count is computed only for its
/// number of draws. `conditioner`: draws by it, if there is one.
inline void for_each_shared_batch(const Ranks& ranks, Sampler& sampler, int64_t batches,
                                  const std::function<void(int64_t batch, bool counts)>& compute,
                                  Conditioner* conditioner = nullptr) {
  if (batches == 0) return;
  const RowShare share = ranks.share(batches);
  const auto sweeps_done = [&] { return conditioner ? conditioner->sweeps_done() : 0; };
  const uint64_t start = sampler.step(), first_sweep = sweeps_done();
  compute(0, share.counts && share.first == 0);
  const uint64_t draws = sampler.step() - start, sweeps = sweeps_done() - first_sweep;
  const auto seek = [&](int64_t batch) {
    sampler.set_step(start + static_cast<uint64_t>(batch) * draws);
    if (conditioner) conditioner->set_sweeps_done(first_sweep + static_cast<uint64_t>(batch) * sweeps);
  };
  for (int64_t batch = std::max<int64_t>(1, share.first); share.counts && batch < share.first + share.rows;
       ++batch) {
    seek(batch);
    compute(batch, true);
  }
  seek(batches);
}

/// Computes rows [0, rows) in batches of `at_once`, which may end after the last row. `compute` gets the
/// first row of a batch, and how many of its rows count: 0 if another rank has the batch.
inline void for_each_shared_rows(const Ranks& ranks, Sampler& sampler, int64_t rows, int64_t at_once,
                                 const std::function<void(int64_t first, int64_t count)>& compute,
                                 Conditioner* conditioner = nullptr) {
  for_each_shared_batch(
      ranks, sampler, rows <= 0 ? 0 : (rows + at_once - 1) / at_once,
      [&](int64_t batch, bool counts) {
        compute(batch * at_once, counts ? std::min(at_once, rows - batch * at_once) : 0);
      },
      conditioner);
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
