// Philox 4x32-10 (Salmon et al. 2011), with counters laid out as runtime/image.md says. It gives the same
// numbers as generated kernels. A draw depends only on (seed, step, site, element).
#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace core {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

inline PhiloxBlock philox_block(uint64_t seed, uint64_t step, uint32_t site, uint32_t c) {
  return philox({c, site, static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32)},
                {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
}

inline uint32_t philox_word(uint64_t seed, uint64_t step, uint32_t site, uint64_t element) {
  const auto c = static_cast<uint32_t>((element >> 7) * 32 + (element & 31));
  return philox_block(seed, step, site, c)[(element >> 5) & 3];
}

/// In (0, 1), exactly representable.
inline float philox_uniform(uint64_t seed, uint64_t step, uint32_t site, uint64_t element) {
  return (static_cast<float>(philox_word(seed, step, site, element) >> 9) + 0.5f) * 0x1p-23f;
}

inline double philox_normal(uint64_t seed, uint64_t step, uint32_t site, uint64_t element) {
  const double radius = std::sqrt(-2 * std::log(double{philox_uniform(seed, step, site, element)}));
  const double turn = philox_uniform(seed, step, site | 0x80000000u, element);
  return radius * std::cos(2 * M_PI * turn);
}

/// Which of a source's `rows` rows stands at position `place` of the batch.
inline int64_t philox_row(uint64_t seed, uint64_t step, int source, uint32_t place, int64_t rows) {
  const PhiloxBlock block = philox_block(seed, step, 0x40000000u + static_cast<uint32_t>(source), place);
  const uint64_t wide = block[0] | uint64_t{block[1]} << 32;
  __extension__ using Wide = unsigned __int128;
  return static_cast<int64_t>(static_cast<Wide>(wide) * static_cast<Wide>(rows) >> 64);
}

}  // namespace core
