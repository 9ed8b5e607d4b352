// Random numbers of the runtime: the known answers of Philox, and the layout that runtime/image.md promises.
// links: vaert_core
#include "runtime/core/execution/philox.h"

#include <gtest/gtest.h>

#include <vector>

namespace core {

// From the test vectors of Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, LaysTilesOf128ElementsOver32Counters) {
  const uint64_t seed = 0x1122334455667788, step = 0x99aabbccddeeff;
  const auto block = [&](uint32_t c) {
    return philox({c, 5, 0xccddeeff, 0x99aabb}, {0x55667788, 0x11223344});
  };
  EXPECT_EQ(philox_word(seed, step, 5, 0), block(0)[0]);
  EXPECT_EQ(philox_word(seed, step, 5, 31), block(31)[0]);
  EXPECT_EQ(philox_word(seed, step, 5, 32), block(0)[1]);
  EXPECT_EQ(philox_word(seed, step, 5, 127), block(31)[3]);
  EXPECT_EQ(philox_word(seed, step, 5, 128), block(32)[0]);
}

TEST(Philox, NormalsHaveMeanZeroAndVarianceOne) {
  double sum = 0, squares = 0;
  constexpr int n = 100000;
  for (uint64_t i = 0; i < n; ++i) {
    const double value = philox_normal(3, 4, 5, i);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1, 4 * std::sqrt(2.0 / n));
}

TEST(Philox, RowsAreDrawnUniformly) {
  constexpr int64_t rows = 10, n = 100000;
  std::vector<int64_t> counts(rows);
  for (uint32_t r = 0; r < n; ++r) ++counts.at(static_cast<size_t>(philox_row(1, 0, 2, r, rows)));
  const double expected = static_cast<double>(n) / rows;
  for (int64_t count : counts) EXPECT_NEAR(static_cast<double>(count), expected, 5 * std::sqrt(expected));
}

}  // namespace core
