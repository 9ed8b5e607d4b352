// Philox 4x32-10 (Salmon et al., SC 2011) and the draws that runtime/image.md makes of it, for the
// interpreters.
#pragma once
#include <array>
#include <cstdint>

#include "compiler/semantics/graph.h"

namespace tensor {

using Counter = std::array<uint32_t, 4>;
Counter philox(Counter counter, uint64_t key);

struct DrawPlace {
  uint64_t seed = 0, step = 0;
  uint32_t site = 0;
  uint64_t element = 0;
};
/// In (0, 1), a multiple of 2^-24.
double uniform_draw(const DrawPlace& place);
/// uniform, normal, gumbel exactly as generated code draws them (in double precision); the others from a
/// stream of their own with the same law.
double draw(semantics::Op op, const DrawPlace& place, double a, double b);

}  // namespace tensor
