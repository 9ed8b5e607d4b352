// One pointwise operation of semantics/operations.def as vector code. Truth is 0 or 1; comparisons keep their
// lanes of bits, so that a `where` upon one costs a blend.
#pragma once
#include <map>

#include "compiler/lower/vectors.h"
#include "compiler/semantics/graph.h"

namespace lower {

class Pointwise {
 public:
  explicit Pointwise(const Vectors& vectors) : v(vectors) {}

  /// `exponent`: of a power, where it is a constant; NaN otherwise. Operations that the runtime does for
  /// single elements need one lane.
  Value* emit(semantics::Op op, const std::array<Value*, 3>& inputs, double exponent);

  /// Forgets what was computed; its code does not dominate what comes.
  void forget() {
    decays_.clear();
    bits_.clear();
  }

 private:
  Value* truth(Value* condition);
  Value* bits_of(Value* truth);
  Value* decay(Value* x);  // exp(-|x|)
  Value* power(Value* x, Value* y, double exponent);
  Value* call(const char* name, std::initializer_list<Value*> arguments);

  const Vectors& v;
  std::map<Value*, Value*> decays_;
  std::map<Value*, Value*> bits_;
};

}  // namespace lower
