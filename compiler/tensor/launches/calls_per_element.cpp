#include "compiler/tensor/launches/calls_per_element.h"

#include <algorithm>

#include "compiler/semantics/graph/elementwise.h"

namespace tensor {

bool calls_per_element(const Loop& loop) {
  return std::ranges::any_of(loop.body, [&](const Scalar& s) {
    if (s.kind != Scalar::Kind::operation) return false;
    if (s.op == semantics::Op::power) {
      const Scalar& exponent = loop.body[static_cast<size_t>(s.inputs[1])];
      return exponent.kind != Scalar::Kind::constant ||
             (exponent.number != 2 && exponent.number != 0.5 && exponent.number != -1 &&
              exponent.number != 3 && exponent.number != 1);
    }
    const semantics::OpGroup group = semantics::info(s.op).group;
    if (group == semantics::OpGroup::random) return s.inputs[0] >= 0;
    return group == semantics::OpGroup::pointwise &&
           semantics::elementwise_operation(s.op).cost == semantics::Cost::call;
  });
}

}  // namespace tensor
