// links: lower
// Draws are those of Philox 4x32-10, numbered element by element as in runtime/image.md, for any shape and
// any division into units.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>

#include "tests/numeric/support/loop_runner.h"

namespace {
using loop_runner::Buffers;
using loop_runner::LoopBuilder;
using loop_runner::Randomness;
using semantics::Op;
using tensor::Extent;

using Words = std::array<uint32_t, 4>;

/// Philox 4x32-10 as its authors define it.
Words philox(Words c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * c[0], second = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(second >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(second),
         static_cast<uint32_t>(first >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return c;
}

double uniform_of(uint64_t element, uint32_t site, Randomness r) {
  const Words words = philox({static_cast<uint32_t>((element >> 7) * 32 + (element & 31)), site,
                              static_cast<uint32_t>(r.step), static_cast<uint32_t>(r.step >> 32)},
                             {static_cast<uint32_t>(r.seed), static_cast<uint32_t>(r.seed >> 32)});
  return ((words[(element >> 5) & 3] >> 9) + 0.5) * 0x1p-23;
}

double draw_of(Op op, uint64_t element, uint32_t site, Randomness r) {
  const double u = uniform_of(element, site, r);
  if (op == Op::gumbel) return -std::log(-std::log(u));
  if (op == Op::uniform) return u;
  const double turn = uniform_of(element, site | 0x80000000U, r);
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * turn);
}

std::vector<float> drawn(Op op, const std::vector<Extent>& space, uint32_t site, Randomness randomness,
                         int64_t rows, int64_t cut) {
  // Adding a vector of zeros that is stretched over the rows prevents the compiler from merging the axes.
  std::vector<int64_t> strides(space.size(), 1), stretched(space.size(), 0);
  int64_t size = 1;
  for (size_t axis = space.size(); axis-- > 0;) {
    strides[axis] = size;
    size *= loop_runner::length(space[axis], rows);
  }
  if (space.size() > 1) stretched.back() = 1;
  LoopBuilder b(space, static_cast<int>(space.size()));
  b.store(b.apply(Op::add, b.apply(op, -1, -1, -1, site), b.load(0, stretched)), 1, strides);
  const lower::CompiledLoops compiled({b.loop()});
  const auto last = static_cast<size_t>(loop_runner::length(space.back(), rows));
  Buffers buffers = {std::vector<float>(last), std::vector<float>(static_cast<size_t>(size))};
  loop_runner::run(compiled, 0, buffers, rows, cut, randomness);
  return buffers[1];
}

TEST(Philox, gives_the_known_answers_of_its_authors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
  EXPECT_EQ(philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}),
            (Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
  EXPECT_EQ(philox({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}),
            (Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(Philox, known_answer_of_zeros_comes_out_of_a_kernel) {
  const auto draws = drawn(Op::uniform, {{128}}, 0, {0, 0}, 1, 1 << 30);
  const Words known = {0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8};
  for (size_t word = 0; word < 4; ++word) {
    EXPECT_EQ(draws[32 * word], static_cast<float>(((known[word] >> 9) + 0.5) * 0x1p-23));
  }
}

TEST(Draws, follow_the_numbering_of_elements) {
  const Randomness randomness{0xA4093822299F31D0U, 0x0370734413198A2EU};
  constexpr uint32_t site = 0x05A308D3;
  const Extent batch{1, 0};
  for (const Op op : {Op::uniform, Op::normal, Op::gumbel}) {
    for (const std::vector<Extent>& space :
         {std::vector<Extent>{{9001}}, {batch, {10}}, {batch, {784}}, {batch, {3}, {50}}, {batch}}) {
      const auto draws = drawn(op, space, site, randomness, 21, 1 << 30);
      for (size_t i = 0; i < draws.size(); ++i) {
        const double exact = draw_of(op, i, site, randomness);
        ASSERT_NEAR(draws[i], exact, 1e-6 * std::max(1.0, std::abs(exact))) << i << " of " << draws.size();
      }
      EXPECT_EQ(drawn(op, space, site, randomness, 21, 1), draws);
    }
  }
}

TEST(Draws, of_two_sites_differ) {
  EXPECT_NE(drawn(Op::uniform, {{64}}, 1, {7, 1}, 1, 1), drawn(Op::uniform, {{64}}, 2, {7, 1}, 1, 1));
  EXPECT_NE(drawn(Op::uniform, {{64}}, 1, {7, 1}, 1, 1), drawn(Op::uniform, {{64}}, 1, {7, 2}, 1, 1));
}

TEST(Draws, in_one_loop_have_their_own_sites) {
  LoopBuilder b({{300}}, 1);
  b.store(b.apply(Op::uniform, -1, -1, -1, 3), 0, {1});
  b.store(b.apply(Op::normal, -1, -1, -1, 4), 1, {1});
  const lower::CompiledLoops compiled({b.loop()});
  Buffers buffers(2, std::vector<float>(300));
  loop_runner::run(compiled, 0, buffers, 1, 1, {11, 12});
  for (size_t i = 0; i < 300; ++i) {
    ASSERT_NEAR(buffers[0][i], draw_of(Op::uniform, i, 3, {11, 12}), 1e-6);
    ASSERT_NEAR(buffers[1][i], draw_of(Op::normal, i, 4, {11, 12}), 5e-6);
  }
}

}  // namespace
