// What the ranks of a run do together between steps.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <map>

#include "runtime/core/learning/trainer.h"
#include "runtime/core/ranks/ranks.h"

namespace core {

void Trainer::set_stop(std::function<bool()> asked) {
  if (reduction_) reduction_->set_stop(std::move(asked));
}

void Trainer::collect() {
  if (!reduction_) return;
  std::vector<double> sums;
  for (const Term& term : terms_) sums.push_back(term.total->sum);
  sums = session_.ranks->sum(std::move(sums));
  for (size_t i = 0; i < terms_.size(); ++i) terms_[i].total->sum = session_.ranks->is_first() ? sums[i] : 0;
}

uint64_t Trainer::parameter_hash() const {
  // FNV-1a on words, because a hash by bytes takes longer than a step of a small model.
  uint64_t hash = 0xcbf29ce484222325U;
  for (size_t i = 0; i < session_.image.players.size(); ++i) {
    const float* values = state_.parameters.of(static_cast<int>(i));
    for (int64_t k = 0; k < session_.image.players[i].elements; ++k)
      hash = (hash ^ std::bit_cast<uint32_t>(values[k])) * 0x100000001b3U;
  }
  return hash;
}

void Trainer::require_same_parameters() const {
  if (!reduction_ || !has_parameters_) return;
  const std::vector<std::string> hashes = session_.ranks->gather(fmt::format("{:016x}", parameter_hash()));
  std::map<std::string, int> votes;
  for (const std::string& hash : hashes) ++votes[hash];
  if (votes.size() == 1) return;
  const auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  std::vector<std::string> others;
  for (size_t r = 0; r < hashes.size(); ++r)
    if (hashes[r] != most->first) others.push_back(session_.ranks->name_of(static_cast<int>(r)));
  const bool undecided = 2 * most->second <= static_cast<int>(hashes.size());
  throw SharedFailure(
      Exit::lost_rank,
      fmt::format(
          "step {}: the parameters of {} have drifted away from those of {}: their processors or their "
          "memory compute differently",
          state_.step, fmt::join(others, ", "),
          undecided ? "the other ranks (which are right is not known)" : "the other ranks"),
      session_.ranks->is_first());
}

}  // namespace core
