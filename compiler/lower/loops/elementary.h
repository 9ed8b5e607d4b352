// The elementary functions as vector code: range reduction and our own minimax polynomials. These are fitted
// by weighted least squares in double, and the coefficients are rounded to float. Errors are a few ulp on the
// whole float range unless a comment says otherwise. tests/numeric/lower/lower_functions_test.cpp compares
// them with libm in double. Here are those that other code than a FORM uses (pointwise.h).
#pragma once
#include "compiler/lower/loops/vectors.h"

namespace lower {

Value* emit_log(const Vectors& v, Value* x);
/// exp(-|x|); 0 if that is below 2^-126.
Value* emit_decay(const Vectors& v, Value* x);
/// cos(2 pi x) for 0 <= x <= 1.
Value* emit_cos_of_turns(const Vectors& v, Value* x);

}  // namespace lower
