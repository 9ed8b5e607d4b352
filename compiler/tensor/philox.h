// Philox 4x32-10 (Salmon et al., SC 2011) and the draws that runtime/image.md derives from it, for the
// interpreters.
#pragma once
#include <array>
#include <cstdint>

#include "compiler/semantics/graph/graph.h"

namespace tensor {

using Counter = std::array<uint32_t, 4>;
Counter philox(Counter counter, uint64_t key);

struct DrawPlace {
  uint64_t seed = 0, step = 0;
  uint32_t site = 0;
  uint64_t element = 0;
};
/// A number in (0, 1), an odd multiple of 2^-24.
double uniform_draw(const DrawPlace& place);
/// uniform, normal and gumbel are drawn exactly as in generated code, but in double precision. Other draws
/// take a stream of their own and have the same distribution as in generated code.
double draw(semantics::Op op, const DrawPlace& place, double a, double b);

}  // namespace tensor
