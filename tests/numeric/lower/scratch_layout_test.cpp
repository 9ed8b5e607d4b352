#include "runtime/schema/scratch_layout.h"

#include <gtest/gtest.h>

#include <random>

namespace {

int64_t largest_at_once(const std::vector<Life>& lives, const std::vector<int64_t>& sizes) {
  int64_t largest = 0;
  for (const Life& now : lives) {
    int64_t living = 0;
    for (size_t s = 0; s < lives.size(); ++s)
      living += lives[s].first <= now.first && now.first <= lives[s].last ? sizes[s] : 0;
    largest = std::max(largest, living);
  }
  return largest;
}

TEST(ScratchLayout, WhatLivesAtOneTimeLiesApart) {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 300; ++round) {
    std::vector<Life> lives(static_cast<size_t>(1 + below(60)));
    std::vector<int64_t> sizes;
    for (Life& life : lives) {
      life.first = below(40);
      life.last = life.first + below(round % 2 == 0 ? 4 : 30);
      sizes.push_back(16 * below(100));
    }
    const ScratchLayout layout = lay_out(lives, sizes);
    for (size_t a = 0; a < lives.size(); ++a) {
      EXPECT_GE(layout.starts[a], 0);
      EXPECT_LE(layout.starts[a] + sizes[a], layout.total);
      EXPECT_EQ(layout.starts[a] % 16, 0);
      for (size_t b = 0; b < a; ++b) {
        const bool apart = layout.starts[a] + sizes[a] <= layout.starts[b] ||
                           layout.starts[b] + sizes[b] <= layout.starts[a];
        const bool never_together = lives[a].last < lives[b].first || lives[b].last < lives[a].first;
        ASSERT_TRUE(apart || never_together) << "slots " << a << " and " << b << " of round " << round;
      }
    }
    const int64_t least = largest_at_once(lives, sizes);
    EXPECT_GE(layout.total, least);
    EXPECT_LE(static_cast<double>(layout.total), 1.4 * static_cast<double>(least)) << "round " << round;
  }
}

// A forward and a backward pass: buffers that the backward pass needs stay, and later ones use the gaps that
// become free.
TEST(ScratchLayout, AStackTakesNoMoreThanLivesAtOnce) {
  const std::vector<Life> lives = {{0, 9}, {1, 8}, {2, 7}, {7, 8}, {8, 9}, {9, 10}};
  const std::vector<int64_t> sizes = {160, 320, 640, 320, 160, 16};
  EXPECT_EQ(lay_out(lives, sizes).total, largest_at_once(lives, sizes));
}

// A program must not assume that fewer rows need no more memory than the most rows.
TEST(ScratchLayout, FewerRowsMayNeedMore) {
  const std::vector<Life> lives = {{9, 14}, {11, 14}, {1, 3}, {4, 9}, {7, 8}, {8, 12}};
  EXPECT_LT(lay_out(lives, {78400, 16384, 6400, 2048, 100352, 40000}).total,
            lay_out(lives, {78400, 15232, 5952, 1904, 93296, 40000}).total);
}

TEST(ScratchLayout, NothingTakesNothing) { EXPECT_EQ(lay_out({}, {}).total, 0); }

}  // namespace
