#include "compiler/lower/loops/pointwise.h"

#include <llvm/IR/Module.h>

#include <stdexcept>

#include "compiler/lower/loops/elementary.h"

namespace lower {

using semantics::Op;

Value* Pointwise::truth(Value* condition) {
  Value* value = v.ir.CreateSelect(condition, v.real(1), v.real(0));
  bits_[value] = condition;
  return value;
}

Value* Pointwise::bits_of(Value* truth) {
  auto& known = bits_[truth];
  if (known == nullptr) known = v.ir.CreateFCmpUNE(truth, v.real(0));
  return known;
}

Value* Pointwise::decay(Value* x) {
  auto& known = decays_[x];
  if (known == nullptr) known = emit_decay(v, x);
  return known;
}

Value* Pointwise::power(Value* x, Value* y, double exponent) {
  if (exponent == 1) return x;
  if (exponent == 2) return v.ir.CreateFMul(x, x);
  if (exponent == 3) return v.ir.CreateFMul(v.ir.CreateFMul(x, x), x);
  if (exponent == 0.5) return v.sqrt(x);
  if (exponent == -1) return v.divide(v.real(1), x);
  return call("vaert_power", {x, y});
}

Value* Pointwise::call(const char* name, llvm::ArrayRef<Value*> arguments) {
  llvm::Type* real = v.ir.getFloatTy();
  auto* type = llvm::FunctionType::get(real, std::vector<llvm::Type*>(arguments.size(), real), false);
  llvm::Module& module = *v.ir.GetInsertBlock()->getModule();
  return v.ir.CreateCall(module.getOrInsertFunction(name, type), arguments);
}

Value* Pointwise::emit(Op op, const std::array<Value*, 3>& inputs, double exponent) {
  const FormInputs form{*this, v, inputs[0], inputs[1], inputs[2], exponent};
  switch (op) {
#define FORM_cheap(name) form_of_##name(form)
#define FORM_costly(name) form_of_##name(form)
#define FORM_call(name) call("vaert_" #name, llvm::ArrayRef(inputs).take_front(semantics::info(op).inputs))
#define ELEMENTWISE(name, inputs, notation, cost, ...) \
  case Op::name:                                       \
    return FORM_##cost(name);
#include "runtime/schema/elementwise.def"
    default:
      throw std::logic_error(std::string("not a pointwise operation: ") + semantics::info(op).name);
  }
}

// The forms of one or a few instructions; elementary.cpp has the others.
FORM(negate) { return f.v.negate(f.a); }
FORM(sqrt) { return f.v.sqrt(f.a); }
FORM(abs) { return f.v.abs(f.a); }
FORM(relu) { return f.v.select(f.v.less(f.a, f.v.real(0)), f.v.real(0), f.a); }
FORM(floor) { return f.v.floor(f.a); }
FORM(logical_not) { return f.p.truth(f.v.ir.CreateNot(f.p.bits_of(f.a))); }
FORM(add) { return f.v.ir.CreateFAdd(f.a, f.b); }
FORM(subtract) { return f.v.ir.CreateFSub(f.a, f.b); }
FORM(multiply) { return f.v.ir.CreateFMul(f.a, f.b); }
FORM(divide) { return f.v.divide(f.a, f.b); }
FORM(modulo) {
  return f.v.ir.CreateFSub(f.a, f.v.ir.CreateFMul(f.v.floor(f.v.ir.CreateFDiv(f.a, f.b)), f.b));
}
FORM(power) { return f.p.power(f.a, f.b, f.exponent); }
FORM(minimum) { return f.v.minimum(f.a, f.b); }
FORM(maximum) { return f.v.maximum(f.a, f.b); }
FORM(less) { return f.p.truth(f.v.ir.CreateFCmpOLT(f.a, f.b)); }
FORM(less_equal) { return f.p.truth(f.v.ir.CreateFCmpOLE(f.a, f.b)); }
FORM(greater) { return f.p.truth(f.v.ir.CreateFCmpOGT(f.a, f.b)); }
FORM(greater_equal) { return f.p.truth(f.v.ir.CreateFCmpOGE(f.a, f.b)); }
FORM(equal) { return f.p.truth(f.v.ir.CreateFCmpOEQ(f.a, f.b)); }
FORM(not_equal) { return f.p.truth(f.v.ir.CreateFCmpUNE(f.a, f.b)); }
FORM(logical_and) { return f.p.truth(f.v.ir.CreateAnd(f.p.bits_of(f.a), f.p.bits_of(f.b))); }
FORM(logical_or) { return f.p.truth(f.v.ir.CreateOr(f.p.bits_of(f.a), f.p.bits_of(f.b))); }
FORM(where) { return f.v.select(f.p.bits_of(f.a), f.b, f.c); }
FORM(stop) { return f.a; }

}  // namespace lower
