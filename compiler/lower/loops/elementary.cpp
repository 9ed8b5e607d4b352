#include "compiler/lower/loops/elementary.h"

#include <limits>
#include <numbers>

#include "compiler/lower/loops/pointwise.h"

namespace lower {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// log 2 = high + low. `high` has 15 bits, so that its product with an exponent is exact.
constexpr double log2_high = 0.693145751953125;
constexpr double log2_low = 1.4286068203094173e-6;

/// 2^n for -126 <= n <= 127, and 0 for n = -127.
Value* power_of_two(const Vectors& v, Value* n) {
  return v.as_real(v.ir.CreateShl(v.ir.CreateAdd(n, v.bits(127)), v.bits(23)));
}

/// log(x 2^shift) of a positive normal number x. With x = 2^k m, sqrt(1/2) <= m < sqrt 2 and f = m - 1:
/// log m = f - f^2/2 + f^3 P(f).
Value* log_of_normal(const Vectors& v, Value* x, Value* shift) {
  Value* x_bits = v.as_bits(x);
  Value* above = v.ir.CreateSub(x_bits, v.bits(0x3F3504F3U));
  Value* k = v.ir.CreateAShr(above, v.bits(23));
  Value* m = v.as_real(v.ir.CreateSub(x_bits, v.ir.CreateShl(k, v.bits(23))));
  Value* exponent = v.ir.CreateSIToFP(k, v.f32());
  if (shift != nullptr) exponent = v.ir.CreateFAdd(exponent, shift);
  Value* f = v.ir.CreateFSub(m, v.real(1));
  Value* square = v.ir.CreateFMul(f, f);
  Value* p = v.polynomial(f, {3.333331645e-01, -2.500082552e-01, 2.000237405e-01, -1.662399769e-01,
                              1.417882890e-01, -1.313223094e-01, 1.290014237e-01, -7.872853428e-02});
  Value* tail = v.fma(exponent, v.real(log2_low), v.ir.CreateFMul(v.ir.CreateFMul(square, f), p));
  tail = v.fma(square, v.real(-0.5), tail);
  return v.fma(exponent, v.real(log2_high), v.ir.CreateFAdd(f, tail));
}

struct ReducedExp {
  Value *p, *n;
};

/// exp x = 2^n p with p = exp r and |r| <= log(2) / 2. n is in integer lanes.
ReducedExp reduced_exp(const Vectors& v, Value* x) {
  Value* n_bits = nullptr;
  Value* n = v.round(v.ir.CreateFMul(x, v.real(std::numbers::log2e)), &n_bits);
  Value* r = v.fma(n, v.real(-log2_high), x);
  r = v.fma(n, v.real(-log2_low), r);
  Value* p = v.polynomial(
      r, {1, 1, 4.999999404e-01, 1.666651517e-01, 4.166845605e-02, 8.369418792e-03, 1.381314243e-03});
  return {p, n_bits};
}

/// exp x for -88 <= x <= 88. The result is 0 below -87.7.
Value* exp_inside(const Vectors& v, Value* x) {
  const auto [p, n] = reduced_exp(v, x);
  return v.ir.CreateFMul(p, power_of_two(v, n));
}

/// sin r if `quadrant` is even, cos r if it is odd, for a reduced angle |r| <= pi/4. The result is negated if
/// bit 1 of `quadrant` is set.
Value* sine_by_quadrant(const Vectors& v, Value* r, Value* quadrant) {
  Value* s = v.ir.CreateFMul(r, r);
  Value* sine = v.polynomial(s, {-1.666665375e-01, 8.332131431e-03, -1.951083832e-04});
  sine = v.fma(v.ir.CreateFMul(s, sine), r, r);
  Value* cosine = v.polynomial(s, {-0.5, 4.166664556e-02, -1.388730598e-03, 2.443120320e-05});
  cosine = v.fma(s, cosine, v.real(1));
  Value* odd = v.ir.CreateICmpNE(v.ir.CreateAnd(quadrant, v.bits(1)), v.bits(0));
  Value* sign = v.ir.CreateShl(v.ir.CreateAnd(quadrant, v.bits(2)), v.bits(30));
  return v.as_real(v.ir.CreateXor(v.as_bits(v.select(odd, cosine, sine)), sign));
}

Value* sine_shifted(const Vectors& v, Value* x, uint32_t quarter_turns) {
  Value* quadrant = nullptr;
  Value* n = v.round(v.ir.CreateFMul(x, v.real(2 / std::numbers::pi)), &quadrant);
  Value* r = v.fma(n, v.real(-1.5703125), x);  // pi/2 in three parts
  r = v.fma(n, v.real(-0.0004837512969970703), r);
  r = v.fma(n, v.real(-7.549789954891882e-08), r);
  return sine_by_quadrant(v, r, v.ir.CreateAdd(quadrant, v.bits(quarter_turns)));
}

}  // namespace

FORM(exp) {
  const Vectors& v = f.v;
  Value* x = f.a;
  // The comparisons are false for NaN, so NaN stays. Only values that are certainly outside the range are
  // moved.
  Value* inside = v.select(v.less(x, v.real(-105)), v.real(-105), x);
  inside = v.select(v.less(v.real(89), inside), v.real(89), inside);
  const auto [p, n] = reduced_exp(v, inside);
  // Multiplies by 2^n in two steps, so that results below the normal range and above the largest number come
  // out right.
  Value* half = v.ir.CreateAShr(n, v.bits(1));
  Value* rest = v.ir.CreateSub(n, half);
  return v.ir.CreateFMul(v.ir.CreateFMul(p, power_of_two(v, half)), power_of_two(v, rest));
}

Value* emit_decay(const Vectors& v, Value* x) {
  // For exp(-88), n is -127, and power_of_two gives 0.
  Value* below = v.negate(v.abs(x));
  return exp_inside(v, v.select(v.less(below, v.real(-88)), v.real(-88), below));
}

Value* emit_log(const Vectors& v, Value* x) {
  Value* tiny = v.less(x, v.real(std::numeric_limits<float>::min()));
  Value* scaled = v.select(tiny, v.ir.CreateFMul(x, v.real(8388608)), x);
  Value* shift = v.select(tiny, v.real(-23), v.real(0));
  Value* result = log_of_normal(v, scaled, shift);
  result = v.select(v.less(x, v.real(infinity)), result, x);  // infinity and NaN stay
  result = v.select(v.ir.CreateFCmpOEQ(x, v.real(0)), v.real(-infinity), result);
  return v.select(v.less(x, v.real(0)), v.real(nan), result);
}

FORM(log) { return emit_log(f.v, f.a); }

FORM(log1p) {
  const Vectors& v = f.v;
  Value* x = f.a;
  // log(1 + x) = log u + (the part of x that the rounding of u = 1 + x lost) / u.
  Value* u = v.ir.CreateFAdd(x, v.real(1));
  Value* lost = v.select(v.less(v.real(1), x), v.ir.CreateFSub(v.real(1), v.ir.CreateFSub(u, x)),
                         v.ir.CreateFSub(x, v.ir.CreateFSub(u, v.real(1))));
  Value* result = v.ir.CreateFAdd(log_of_normal(v, u, nullptr), v.divide(lost, u));
  result = v.select(v.less(u, v.real(infinity)), result, u);
  result = v.select(v.ir.CreateFCmpOEQ(u, v.real(0)), v.real(-infinity), result);
  return v.select(v.less(u, v.real(0)), v.real(nan), result);
}

FORM(tanh) {
  const Vectors& v = f.v;
  Value* x = f.a;
  Value* size = v.abs(x);
  // Near 0: x + x^3 P(x^2). Elsewhere 1 - 2 / (exp(2|x|) + 1).
  Value* s = v.ir.CreateFMul(x, x);
  Value* near_zero = v.polynomial(
      s, {-3.333328366e-01, 1.333149076e-01, -5.374349654e-02, 2.065057866e-02, -5.717036780e-03});
  near_zero = v.fma(v.ir.CreateFMul(s, near_zero), x, x);
  Value* t = v.select(v.less(v.real(10), size), v.real(10), size);  // above 10 the result rounds to 1
  Value* e = exp_inside(v, v.ir.CreateFAdd(t, t));
  Value* far = v.ir.CreateFSub(v.real(1), v.divide(v.real(2), v.ir.CreateFAdd(e, v.real(1))));
  far = v.ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, far, x);
  return v.select(v.less(size, v.real(0.625)), near_zero, far);
}

FORM(erf) {
  const Vectors& v = f.v;
  Value* x = f.a;
  Value* s = v.ir.CreateFMul(x, x);
  Value* near_zero = v.polynomial(s, {1.283791661e-01, -3.761263490e-01, 1.128369421e-01, -2.685927041e-02,
                                      5.200634245e-03, -8.137437399e-04, 8.345225069e-05});
  near_zero = v.fma(near_zero, x, x);
  // 1 - exp(log erfc t), where log erfc is a polynomial on [0.92, 4]. Above 4 the result rounds to 1.
  Value* size = v.abs(x);
  Value* t = v.select(v.less(v.real(4), size), v.real(4), size);
  Value* log_erfc = v.polynomial(t, {1.746844500e-04, -1.129514933e+00, -6.333469152e-01, -1.082800925e-01,
                                     2.511942759e-02, -4.171063192e-03, 4.344626213e-04, -2.109505112e-05});
  Value* far = v.ir.CreateFSub(v.real(1), exp_inside(v, log_erfc));
  far = v.ir.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, far, x);
  return v.select(v.less(size, v.real(0.925)), near_zero, far);
}

FORM(hypot) {
  const Vectors& v = f.v;
  // Scaled by a power of two, so that no square overflows, or loses the digits of a small number.
  Value* larger = v.maximum(v.abs(f.a), v.abs(f.b));
  Value *huge = v.less(v.real(0x1p60), larger), *tiny = v.less(larger, v.real(0x1p-60));
  const auto by_size = [&](double if_huge, double if_tiny) {
    return v.select(huge, v.real(if_huge), v.select(tiny, v.real(if_tiny), v.real(1)));
  };
  Value* scale = by_size(0x1p-66, 0x1p90);
  Value *a = v.ir.CreateFMul(f.a, scale), *b = v.ir.CreateFMul(f.b, scale);
  Value* length = v.sqrt(v.fma(a, a, v.ir.CreateFMul(b, b)));
  return v.ir.CreateFMul(length, by_size(0x1p66, 0x1p-90));
}

// Both need e = exp(-|x|).
FORM(sigmoid) {
  const Vectors& v = f.v;
  Value *x = f.a, *e = f.p.decay(x);
  Value* numerator = v.select(v.less(x, v.real(0)), e, v.real(1));
  return v.divide(numerator, v.ir.CreateFAdd(e, v.real(1)));
}

FORM(softplus) {
  const Vectors& v = f.v;
  Value *x = f.a, *e = f.p.decay(x);
  // max(x, 0) + log(1 + e). The rounding of u = 1 + e loses only a small part of e, so 1.5 - u/2 is good
  // enough for 1/u. It is exact where e itself is small.
  Value* u = v.ir.CreateFAdd(e, v.real(1));
  Value* lost = v.ir.CreateFSub(e, v.ir.CreateFSub(u, v.real(1)));
  Value* log = v.fma(lost, v.fma(u, v.real(-0.5), v.real(1.5)), log_of_normal(v, u, nullptr));
  Value* positive = v.select(v.less(x, v.real(0)), v.real(0), x);
  return v.ir.CreateFAdd(positive, log);
}

// Accurate for |x| up to 10^4; the error grows beyond.
FORM(sin) { return sine_shifted(f.v, f.a, 0); }
FORM(cos) { return sine_shifted(f.v, f.a, 1); }

Value* emit_cos_of_turns(const Vectors& v, Value* x) {
  Value* quadrant = nullptr;
  Value* n = v.round(v.ir.CreateFMul(x, v.real(4)), &quadrant);
  Value* turns = v.fma(n, v.real(-0.25), x);  // this is exact
  Value* r = v.ir.CreateFMul(turns, v.real(2 * std::numbers::pi));
  return sine_by_quadrant(v, r, v.ir.CreateAdd(quadrant, v.bits(1)));
}

}  // namespace lower
