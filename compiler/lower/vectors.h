// LLVM's builder with a width: every value it makes has `lanes` lanes (plain scalars for one lane), so that
// one emitter serves AVX-512, AVX2 and anything else. Loops are structured: see count().
#pragma once
#include <llvm/IR/IRBuilder.h>

#include <functional>
#include <vector>

namespace lower {

using llvm::Value;

struct Vectors {
  llvm::IRBuilder<>& ir;
  unsigned lanes;
  bool for_ptx = false;  // one lane, of a GPU

  llvm::Type* widen(llvm::Type* scalar) const;
  llvm::Type* f32() const { return widen(ir.getFloatTy()); }
  llvm::Type* i32() const { return widen(ir.getInt32Ty()); }

  Value* real(double number) const;
  Value* bits(uint32_t number) const;
  Value* splat(Value* scalar) const;
  /// 0, 1, 2, ... as i32 lanes.
  Value* lane_numbers() const;

  Value* fma(Value* a, Value* b, Value* c) const;  // a * b + c, rounded once
  /// On a GPU within 2 ulp, and 0 where |b| > 2^126.
  Value* divide(Value* a, Value* b) const;
  Value* negate(Value* a) const { return ir.CreateFNeg(a); }
  Value* abs(Value* a) const;
  Value* sqrt(Value* a) const;
  Value* floor(Value* a) const;
  /// One instruction each; a NaN in `a` gives b.
  Value* minimum(Value* a, Value* b) const;
  Value* maximum(Value* a, Value* b) const;
  Value* as_bits(Value* a) const { return ir.CreateBitCast(a, i32()); }
  Value* as_real(Value* a) const { return ir.CreateBitCast(a, f32()); }
  Value* less(Value* a, Value* b) const { return ir.CreateFCmpOLT(a, b); }
  Value* select(Value* condition, Value* a, Value* b) const { return ir.CreateSelect(condition, a, b); }
  /// Nearest integer (ties to even) of |a| < 2^22, as a real; `integer` gets its bits as i32 lanes.
  Value* round(Value* a, Value** integer) const;
  /// c[0] + x (c[1] + x (c[2] + ...)).
  Value* polynomial(Value* x, std::initializer_list<double> coefficients) const;
};

using Carried = std::vector<Value*>;

/// for (i = from; i < to; i += step): `body` gets i and the carried values and gives their next ones.
/// The builder stands after the loop on return; the result is the carried values there.
Carried count(llvm::IRBuilder<>& ir, Value* from, Value* to, Value* step, const Carried& initial,
              const std::function<Carried(Value*, const Carried&)>& body);

/// if (condition) body().
void when(llvm::IRBuilder<>& ir, Value* condition, const std::function<void()>& body);
/// condition ? body() : otherwise, computed only where it holds.
Carried when(llvm::IRBuilder<>& ir, Value* condition, const Carried& otherwise,
             const std::function<Carried()>& body);

}  // namespace lower
