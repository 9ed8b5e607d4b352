// One rule for each operation: given the value y of the operation and its adjoint, gives each input its part.
#pragma once
#include "compiler/tensor/emit.h"
#include "compiler/tensor/program.h"

namespace tensor {

class Reverse {
 public:
  Reverse(Program& program, std::vector<bool> active)
      : emit(program), program_(program), active_(std::move(active)), adjoints_(active_.size()) {}

  Emit emit;
  const Shape& shape(ValueId id) const { return program_[id].shape; }
  /// Does a parameter of the player lie below `id`?
  bool wants(ValueId id) const { return active_[static_cast<size_t>(id.index)]; }
  void give(ValueId input, ValueId part);
  ValueId adjoint(ValueId id) const { return adjoints_[static_cast<size_t>(id.index)]; }

 private:
  Program& program_;
  std::vector<bool> active_;
  std::vector<ValueId> adjoints_;
};

using AdjointRule = void (*)(Reverse& reverse, const Value& value, ValueId y, ValueId y_adjoint);
AdjointRule adjoint_rule(Op op);

}  // namespace tensor
