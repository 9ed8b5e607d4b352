#include "compiler/tensor/passes/cluster_order.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace tensor {
namespace {
// The most steps of one search. Programs of thousands of operations need hundreds of steps.
constexpr int64_t most_steps = 20'000;
}  // namespace

ClusterOrder::ClusterOrder(std::vector<std::vector<int>> inputs)
    : inputs_(std::move(inputs)), users_(inputs_.size()) {
  for (int atom = 0; atom < static_cast<int>(inputs_.size()); ++atom) {
    for (const int input : inputs_of(atom)) users_[static_cast<size_t>(input)].push_back(atom);
    cluster_of_.push_back(atom);
    clusters_.push_back({atom});
    places_.push_back(atom);
  }
}

/// The clusters that a path along `next` reaches from `from`, if their places lie between `from` and `to`.
/// None if such a path goes on to `to`, or if the search takes too many steps.
std::optional<ClusterOrder::Reached> ClusterOrder::reached(int from, int to,
                                                           const std::vector<std::vector<int>>& next) {
  const int low = std::min(place(from), place(to)), high = std::max(place(from), place(to));
  Reached found = {from};
  std::unordered_set<int> seen = {from};
  const int64_t last_step = steps_ + most_steps;
  for (size_t at = 0; at < found.size(); ++at) {
    for (const int atom : atoms_of(found[at])) {
      for (const int neighbour : next[static_cast<size_t>(atom)]) {
        if (++steps_ > last_step) return {};
        const int cluster = cluster_of(neighbour);
        if (cluster == to && at > 0) return {};
        if (place(cluster) > low && place(cluster) < high && seen.insert(cluster).second)
          found.push_back(cluster);
      }
    }
  }
  found.erase(found.begin());
  return found;
}

bool ClusterOrder::join(int a, int b) {
  const int first = place(a) < place(b) ? a : b, last = first == a ? b : a;
  const auto after = reached(first, last, users_);
  if (!after) return false;
  auto before = reached(last, first, inputs_);
  if (!before) return false;
  // The new sequence: the clusters that must run before both, then both, then the clusters that must run
  // after both. Together they keep the places that they had. The first group only moves to earlier places and
  // the last group only to later ones, so the order stays right for all other clusters.
  const auto by_place = [&](int x, int y) { return place(x) < place(y); };
  Reached sequence = std::move(*before);
  std::ranges::sort(sequence, by_place);
  sequence.push_back(a);
  sequence.push_back(b);  // `b` is empty from now on
  const auto behind = static_cast<std::ptrdiff_t>(sequence.size());
  std::ranges::copy(*after, std::back_inserter(sequence));
  std::sort(sequence.begin() + behind, sequence.end(), by_place);
  std::vector<int> places;
  for (const int cluster : sequence) places.push_back(place(cluster));
  std::ranges::sort(places);
  for (size_t i = 0; i < sequence.size(); ++i) places_[static_cast<size_t>(sequence[i])] = places[i];

  std::vector<int>&kept = clusters_[static_cast<size_t>(a)], &gone = clusters_[static_cast<size_t>(b)];
  for (const int atom : gone) cluster_of_[static_cast<size_t>(atom)] = a;
  std::vector<int> both;
  std::ranges::merge(kept, gone, std::back_inserter(both));
  kept = std::move(both);
  gone.clear();
  return true;
}

}  // namespace tensor
