// Shorthand for adding values to a program. A pointwise operation takes its shape from its inputs. An input
// without rows (or a scalar) is stretched if another input has rows.
#pragma once
#include <initializer_list>

#include "compiler/tensor/program.h"

namespace tensor {

class Emit {
 public:
  explicit Emit(Program& program) : program_(program) {}

  const Shape& shape(ValueId id) const { return program_[id].shape; }
  ValueId constant(double number, Shape shape = {});
  ValueId pointwise(Op op, std::vector<ValueId> inputs);
  ValueId pointwise(Op op, ValueId a) { return pointwise(op, std::vector<ValueId>{a}); }
  ValueId pointwise(Op op, ValueId a, ValueId b) { return pointwise(op, std::vector<ValueId>{a, b}); }
  ValueId pointwise(Op op, ValueId a, double b) { return pointwise(op, a, constant(b, shape(a))); }
  ValueId pointwise(Op op, double a, ValueId b) { return pointwise(op, constant(a, shape(b)), b); }
  ValueId add(ValueId a, ValueId b) { return pointwise(Op::add, a, b); }
  ValueId subtract(ValueId a, ValueId b) { return pointwise(Op::subtract, a, b); }
  ValueId multiply(ValueId a, ValueId b) { return pointwise(Op::multiply, a, b); }
  ValueId divide(ValueId a, ValueId b) { return pointwise(Op::divide, a, b); }
  ValueId negate(ValueId a) { return pointwise(Op::negate, a); }

  ValueId reshape(ValueId a, Shape to);
  ValueId transpose(ValueId a, std::vector<int64_t> axes);
  /// Axis i of `a` becomes axis map[i] of `to`.
  ValueId broadcast(ValueId a, Shape to, std::vector<int64_t> map);
  /// Stretches a value without rows, or a scalar, to `to`. The last axes of `to` are those of the value.
  ValueId stretch(ValueId a, const Shape& to);
  ValueId reduce(Op op, ValueId a, std::vector<int64_t> axes);
  ValueId operation(Op op, std::vector<ValueId> inputs, Shape shape, std::vector<int64_t> ints = {});

 private:
  Program& program_;
};

}  // namespace tensor
