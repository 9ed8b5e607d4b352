// The elementary functions as vector code: range reduction and our own minimax polynomials. These are fitted
// by weighted least squares in double, and the coefficients are rounded to float. Errors are a few ulp on the
// whole float range unless a comment says otherwise. tests/numeric/lower/lower_functions_test.cpp compares
// them with libm in double.
#pragma once
#include "compiler/lower/loops/vectors.h"

namespace lower {

Value* emit_exp(const Vectors& v, Value* x);
Value* emit_log(const Vectors& v, Value* x);
Value* emit_log1p(const Vectors& v, Value* x);
Value* emit_tanh(const Vectors& v, Value* x);
Value* emit_erf(const Vectors& v, Value* x);
/// exp(-|x|); 0 if that is below 2^-126.
Value* emit_decay(const Vectors& v, Value* x);
/// 1 / (1 + exp(-x)) and log(1 + exp(x)). Both need e = exp(-|x|).
Value* emit_sigmoid(const Vectors& v, Value* x, Value* e);
Value* emit_softplus(const Vectors& v, Value* x, Value* e);
/// Accurate for |x| up to 10^4; the error grows beyond.
Value* emit_sin(const Vectors& v, Value* x);
Value* emit_cos(const Vectors& v, Value* x);
/// cos(2 pi x) for 0 <= x <= 1.
Value* emit_cos_of_turns(const Vectors& v, Value* x);

}  // namespace lower
