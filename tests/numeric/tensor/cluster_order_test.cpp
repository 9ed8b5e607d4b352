// links: tensor
// Two clusters are joined exactly if no third cluster would have to run between them. The time grows in
// proportion to the program.
#include "compiler/tensor/passes/cluster_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace {

using Inputs = std::vector<std::vector<int>>;

/// The clusters that read a value of this cluster, through any of its atoms.
std::set<int> readers(const tensor::ClusterOrder& order, int cluster) {
  std::set<int> result;
  for (const int atom : order.atoms_of(cluster))
    for (const int user : order.users_of(atom))
      if (order.cluster_of(user) != cluster) result.insert(order.cluster_of(user));
  return result;
}

/// Whether `from` leads to `to` through a third cluster.
bool leads_around(const tensor::ClusterOrder& order, int from, int to) {
  std::vector<int> pending;
  std::set<int> seen;
  for (const int next : readers(order, from))
    if (next != to && seen.insert(next).second) pending.push_back(next);
  while (!pending.empty()) {
    const int cluster = pending.back();
    pending.pop_back();
    for (const int next : readers(order, cluster)) {
      if (next == to) return true;
      if (seen.insert(next).second) pending.push_back(next);
    }
  }
  return false;
}

TEST(ClusterOrder, JoinsWhereNothingStandsBetween) {
  std::mt19937 generator(1);
  for (int round = 0; round < 200; ++round) {
    const int count = 3 + static_cast<int>(generator() % 30);
    Inputs inputs(static_cast<size_t>(count));
    for (int atom = 1; atom < count; ++atom) {
      std::set<int> read;
      for (int i = static_cast<int>(generator() % 4); i > 0; --i)
        read.insert(static_cast<int>(generator() % static_cast<unsigned>(atom)));
      inputs[static_cast<size_t>(atom)].assign(read.begin(), read.end());
    }
    tensor::ClusterOrder order(inputs);
    for (int tries = 0; tries < 3 * count; ++tries) {
      const int a = order.cluster_of(static_cast<int>(generator() % static_cast<unsigned>(count)));
      const int b = order.cluster_of(static_cast<int>(generator() % static_cast<unsigned>(count)));
      if (a == b) continue;
      const bool between = leads_around(order, a, b) || leads_around(order, b, a);
      std::vector<int> both = order.atoms_of(a);
      std::ranges::copy(order.atoms_of(b), std::back_inserter(both));
      std::ranges::sort(both);
      ASSERT_NE(order.join(a, b), between) << "round " << round;
      if (!between) {
        ASSERT_EQ(order.atoms_of(a), both);
      }
    }
  }
}

// A chain forwards and back again, as in gradients: each step back reads a step of the way forwards.
TEST(ClusterOrder, LooksAtFewNeighboursOfALongChain) {
  constexpr int length = 50'000;
  Inputs inputs(size_t{2} * length);
  for (int i = 1; i < 2 * length; ++i) {
    inputs[static_cast<size_t>(i)] = {i - 1};
    if (i > length) inputs[static_cast<size_t>(i)].push_back(2 * length - 1 - i);
  }
  tensor::ClusterOrder order(inputs);
  for (int i = 1; i < 2 * length; ++i) {
    const int before = order.cluster_of(i - 1);
    if (order.atoms_of(before).size() < 100) {
      EXPECT_TRUE(order.join(before, order.cluster_of(i)));
    }
  }
  EXPECT_LT(order.steps(), int64_t{1000} * length);
}

}  // namespace
