// Special functions of one real, in double precision, with a relative error of about 1e-12.
#pragma once

namespace semantics {

double digamma(double x);
double trigamma(double x);
double log_i0(double x);      // log of the modified Bessel function I0
double i1_over_i0(double x);  // its derivative

}  // namespace semantics
