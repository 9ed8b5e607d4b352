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

Value* Pointwise::call(const char* name, std::initializer_list<Value*> arguments) {
  llvm::Type* real = v.ir.getFloatTy();
  auto* type = llvm::FunctionType::get(real, std::vector<llvm::Type*>(arguments.size(), real), false);
  llvm::Module& module = *v.ir.GetInsertBlock()->getModule();
  return v.ir.CreateCall(module.getOrInsertFunction(name, type), llvm::ArrayRef<Value*>(arguments));
}

Value* Pointwise::emit(Op op, const std::array<Value*, 3>& inputs, double exponent) {
  llvm::IRBuilder<>& ir = v.ir;
  Value* a = inputs[0];
  Value* b = inputs[1];
  switch (op) {
    case Op::negate:
      return v.negate(a);
    case Op::exp:
      return emit_exp(v, a);
    case Op::log:
      return emit_log(v, a);
    case Op::log1p:
      return emit_log1p(v, a);
    case Op::sqrt:
      return v.sqrt(a);
    case Op::abs:
      return v.abs(a);
    case Op::relu:
      return v.select(v.less(a, v.real(0)), v.real(0), a);
    case Op::tanh:
      return emit_tanh(v, a);
    case Op::sigmoid:
      return emit_sigmoid(v, a, decay(a));
    case Op::softplus:
      return emit_softplus(v, a, decay(a));
    case Op::erf:
      return emit_erf(v, a);
    case Op::sin:
      return emit_sin(v, a);
    case Op::cos:
      return emit_cos(v, a);
    case Op::floor:
      return v.floor(a);
    case Op::lgamma:
      return call("vaert_lgamma", {a});
    case Op::digamma:
      return call("vaert_digamma", {a});
    case Op::trigamma:
      return call("vaert_trigamma", {a});
    case Op::log_i0:
      return call("vaert_log_i0", {a});
    case Op::i1_over_i0:
      return call("vaert_i1_over_i0", {a});
    case Op::logical_not:
      return truth(ir.CreateNot(bits_of(a)));
    case Op::add:
      return ir.CreateFAdd(a, b);
    case Op::subtract:
      return ir.CreateFSub(a, b);
    case Op::multiply:
      return ir.CreateFMul(a, b);
    case Op::divide:
      return v.divide(a, b);
    // The remainder has the sign of the divisor, as in Python.
    case Op::modulo:
      return ir.CreateFSub(a, ir.CreateFMul(v.floor(ir.CreateFDiv(a, b)), b));
    case Op::power:
      return power(a, b, exponent);
    case Op::minimum:
      return v.minimum(a, b);
    case Op::maximum:
      return v.maximum(a, b);
    case Op::atan2:
      return call("vaert_atan2", {a, b});
    case Op::less:
      return truth(ir.CreateFCmpOLT(a, b));
    case Op::less_equal:
      return truth(ir.CreateFCmpOLE(a, b));
    case Op::greater:
      return truth(ir.CreateFCmpOGT(a, b));
    case Op::greater_equal:
      return truth(ir.CreateFCmpOGE(a, b));
    case Op::equal:
      return truth(ir.CreateFCmpOEQ(a, b));
    case Op::not_equal:
      return truth(ir.CreateFCmpUNE(a, b));
    case Op::logical_and:
      return truth(ir.CreateAnd(bits_of(a), bits_of(b)));
    case Op::logical_or:
      return truth(ir.CreateOr(bits_of(a), bits_of(b)));
    case Op::where:
      return v.select(bits_of(a), b, inputs[2]);
    case Op::stop:
      return a;
    default:
      throw std::logic_error(std::string("not a pointwise operation: ") + semantics::info(op).name);
  }
}

}  // namespace lower
