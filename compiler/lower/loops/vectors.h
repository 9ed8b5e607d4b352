// LLVM's builder with a vector width. Every value has `lanes` lanes (one lane: a plain scalar), so that the
// same emitter works for AVX-512, AVX2 and anything else. Loops are structured: see count().
#pragma once
#include <llvm/IR/IRBuilder.h>

#include <functional>
#include <vector>

namespace lower {

using llvm::Value;

struct Vectors {
  llvm::IRBuilder<>& ir;
  unsigned lanes;
  bool for_ptx = false;  // one lane, on a GPU

  llvm::Type* widen(llvm::Type* scalar) const;
  llvm::Type* f32() const { return widen(ir.getFloatTy()); }
  llvm::Type* i32() const { return widen(ir.getInt32Ty()); }

  Value* real(double number) const;
  Value* bits(uint32_t number) const;
  Value* splat(Value* scalar) const;
  /// 0, 1, 2, ... as i32 lanes.
  Value* lane_numbers() const;

  Value* fma(Value* a, Value* b, Value* c) const;  // a * b + c, rounded once
  /// On a GPU the result is within 2 ulp, and 0 if |b| > 2^126.
  Value* divide(Value* a, Value* b) const;
  Value* negate(Value* a) const { return ir.CreateFNeg(a); }
  Value* abs(Value* a) const;
  Value* sqrt(Value* a) const;
  Value* floor(Value* a) const;
  /// One instruction each. If `a` is NaN, the result is b.
  Value* minimum(Value* a, Value* b) const;
  Value* maximum(Value* a, Value* b) const;
  Value* as_bits(Value* a) const { return ir.CreateBitCast(a, i32()); }
  Value* as_real(Value* a) const { return ir.CreateBitCast(a, f32()); }
  Value* less(Value* a, Value* b) const { return ir.CreateFCmpOLT(a, b); }
  Value* select(Value* condition, Value* a, Value* b) const { return ir.CreateSelect(condition, a, b); }
  /// The nearest integer (ties to even) for |a| < 2^22, as a real. `integer` receives it as i32 lanes.
  Value* round(Value* a, Value** integer) const;
  /// c[0] + x (c[1] + x (c[2] + ...)).
  Value* polynomial(Value* x, std::initializer_list<double> coefficients) const;
};

using Carried = std::vector<Value*>;

/// for (i = from; i < to; i += step). `body` gets i and the carried values, and returns their next values.
/// After the call, the builder stands behind the loop. The result is the carried values there.
Carried count(llvm::IRBuilder<>& ir, Value* from, Value* to, Value* step, const Carried& initial,
              const std::function<Carried(Value*, const Carried&)>& body);

/// if (condition) body().
void when(llvm::IRBuilder<>& ir, Value* condition, const std::function<void()>& body);
/// condition ? body() : otherwise. The body is computed only if the condition holds.
Carried when(llvm::IRBuilder<>& ir, Value* condition, const Carried& otherwise,
             const std::function<Carried()>& body);

}  // namespace lower
