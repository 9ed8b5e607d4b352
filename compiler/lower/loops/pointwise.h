// Emits one pointwise operation of semantics/graph/operations.def as vector code. True is 1 and false is 0.
// The bits of comparisons are kept, so that a `where` on one costs only a blend.
#pragma once
#include <map>

#include "compiler/lower/loops/vectors.h"
#include "compiler/semantics/graph/graph.h"

namespace lower {

class Pointwise {
 public:
  explicit Pointwise(const Vectors& vectors) : v(vectors) {}

  /// `exponent`: the exponent of a power if it is constant, otherwise NaN. Operations that call the runtime
  /// for single elements need one lane.
  Value* emit(semantics::Op op, const std::array<Value*, 3>& inputs, double exponent);

  /// Forgets the values computed so far, because their code does not dominate the code that follows.
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
