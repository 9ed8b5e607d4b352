// Emits one operation of runtime/schema/elementwise.def as vector code. True is 1 and false is 0. The
// bits of comparisons are kept, so that a `where` on one costs only a blend.
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

  // For the forms.
  Value* truth(Value* condition);
  Value* bits_of(Value* truth);
  Value* decay(Value* x);  // exp(-|x|)
  Value* power(Value* x, Value* y, double exponent);

 private:
  Value* call(const char* name, llvm::ArrayRef<Value*> arguments);

  const Vectors& v;
  std::map<Value*, Value*> decays_;
  std::map<Value*, Value*> bits_;
};

/// What the form of an operation reads: its inputs a, b and c, and what emit() got.
struct FormInputs {
  Pointwise& p;
  const Vectors& v;
  Value *a, *b, *c;
  double exponent;
};

// The vector form of each operation that is not a call. An operation without its FORM does not link.
#define FORM(name) Value* form_of_##name(const FormInputs& f)
#define FORM_cheap(name) FORM(name);
#define FORM_costly(name) FORM(name);
#define FORM_call(name)
#define ELEMENTWISE(name, inputs, notation, cost, ...) FORM_##cost(name)
#include "runtime/schema/elementwise.def"
#undef FORM_cheap
#undef FORM_costly
#undef FORM_call

}  // namespace lower
