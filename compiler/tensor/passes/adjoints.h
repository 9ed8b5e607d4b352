// One rule for each operation; those of expressions come from semantics/gradients.h. In: the value y of the
// operation and the adjoint of y. Out: the part of each input's adjoint that comes through y.
#pragma once
#include <unordered_map>

#include "compiler/tensor/emit.h"
#include "compiler/tensor/program.h"

namespace tensor {

class Reverse {
 public:
  /// `active`: the values whose adjoints are wanted.
  Reverse(Program& program, const std::vector<int32_t>& active) : emit(program), program_(program) {
    for (const int32_t value : active) adjoints_.emplace(value, ValueId{});
  }

  Emit emit;
  const Shape& shape(ValueId id) const { return program_[id].shape; }
  /// Is the adjoint of `id` wanted?
  bool wants(ValueId id) const { return adjoints_.contains(id.index); }
  void give(ValueId input, ValueId part);
  ValueId adjoint(ValueId id) const {
    const auto found = adjoints_.find(id.index);
    return found == adjoints_.end() ? ValueId{} : found->second;
  }

 private:
  Program& program_;
  std::unordered_map<int32_t, ValueId> adjoints_;  // of the active values
};

using AdjointRule = void (*)(Reverse& reverse, const Value& value, ValueId y, ValueId y_adjoint);
AdjointRule adjoint_rule(Op op);

}  // namespace tensor
