// Gives the functions of elementary.h the names of the C library. Compiled only for GPUs: the runtime's
// sources, which are compiled for GPUs without changes, call the functions by these names.
#include "runtime/device/elementary.h"

extern "C" {

double log(double x) { return device::log(x); }
double exp(double x) { return device::exp(x); }
double sin(double x) { return device::sin(x); }
double cos(double x) { return device::cos(x); }
double tan(double x) { return device::sin(x) / device::cos(x); }
double acos(double x) { return device::acos(x); }
double log1p(double x) { return device::log1p(x); }
double sqrt(double x) { return __builtin_sqrt(x); }
double floor(double x) { return __builtin_floor(x); }
double ceil(double x) { return __builtin_ceil(x); }
double copysign(double x, double y) { return __builtin_copysign(x, y); }
double fmin(double x, double y) { return x < y || y != y ? x : y; }
double fmax(double x, double y) { return x > y || y != y ? x : y; }
float powf(float x, float y) { return static_cast<float>(device::pow(x, y)); }
float atan2f(float y, float x) { return static_cast<float>(device::atan2(y, x)); }

double lgamma_r(double x, int* sign) {
  *sign = x < 0 && device::floor(x / 2) * 2 != device::floor(x) ? -1 : 1;
  return device::log_gamma(x);
}

}  // extern "C"
