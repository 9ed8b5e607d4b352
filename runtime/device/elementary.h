// Elementary functions in double for GPUs, where there is no C library. In: any double. Out: the value with a
// relative error of about 1e-15; for an angle x, if |x| < 10^5. The runtime's functions of single elements
// (special_functions.cpp, draws.cpp) call these when they are compiled for a GPU.
#pragma once
#include <cstdint>

namespace device {

constexpr double pi = 3.14159265358979323846;
constexpr double log_2_high = 6.93147180369123816490e-01, log_2_low = 1.90821492927058770002e-10;
constexpr double infinity = __builtin_huge_val();
constexpr double not_a_number = __builtin_nan("");

inline uint64_t bits_of(double x) { return __builtin_bit_cast(uint64_t, x); }
inline double from_bits(uint64_t bits) { return __builtin_bit_cast(double, bits); }
inline double sqrt(double x) { return __builtin_sqrt(x); }
inline double floor(double x) { return __builtin_floor(x); }
inline double abs(double x) { return __builtin_fabs(x); }

/// The nearest integer to x, for |x| < 2^51.
inline double nearest(double x) {
  const double magic = 0x1.8p52;
  return (x + magic) - magic;
}

/// 2^n, for -1022 <= n <= 1023.
inline double power_of_two(int n) { return from_bits(static_cast<uint64_t>(n + 1023) << 52); }

/// Splits x = 2^k m with sqrt(1/2) <= m < sqrt 2, and uses the series of log m = 2 atanh((m - 1) / (m + 1)).
inline double log(double x) {
  if (!(x > 0)) return x == 0 ? -infinity : not_a_number;
  if (x == infinity) return x;
  int shift = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    shift = -54;
  }
  const uint64_t above = bits_of(x) - 0x3FE6A09E667F3BCDULL;
  const int k = static_cast<int>(static_cast<int64_t>(above) >> 52);
  const double m = from_bits(bits_of(x) - (static_cast<uint64_t>(k) << 52));
  const double s = (m - 1) / (m + 1), square = s * s;
  double series = 1.0 / 21;
  for (int odd = 19; odd >= 3; odd -= 2) series = series * square + 1.0 / odd;
  const double exponent = k + shift;
  return exponent * log_2_high + (2 * s + (2 * s * square * series + exponent * log_2_low));
}

/// Uses exp x = 2^n exp r with |r| <= log(2) / 2, and Taylor's series for exp r.
inline double exp(double x) {
  if (x != x) return x;
  if (x > 709.8) return infinity;
  if (x < -745.2) return 0;
  const double n = nearest(x * 1.44269504088896340736);
  const double r = (x - n * log_2_high) - n * log_2_low;
  double series = 1;
  for (int k = 14; k >= 1; --k) series = series * r / k + 1;
  const int whole = static_cast<int>(n), half = whole / 2;
  return series * power_of_two(half) * power_of_two(whole - half);
}

/// sin(x + quarter * pi / 2).
inline double sine_shifted(double x, int64_t quarter) {
  const double n = nearest(x * (2 / pi));
  double r = __builtin_fma(n, -1.57079632679489655800, x);
  r = __builtin_fma(n, -6.12323399573676603587e-17, r);
  quarter += static_cast<int64_t>(n);
  const double square = r * r;
  double series = 1;
  const int last = (quarter & 1) != 0 ? 18 : 19;
  for (int k = last; k > 1; k -= 2) series = 1 - series * square / (k * (k - 1));
  if ((quarter & 1) == 0) series *= r;
  return (quarter & 2) != 0 ? -series : series;
}
inline double sin(double x) { return sine_shifted(x, 0); }
inline double cos(double x) { return sine_shifted(x, 1); }

/// Halves the angle twice by atan x = 2 atan(x / (1 + sqrt(1 + x^2))), then uses the series.
inline double atan(double x) {
  const double size = abs(x);
  const bool inverted = size > 1;
  double t = inverted ? 1 / size : size;
  t = t / (1 + sqrt(1 + t * t));
  t = t / (1 + sqrt(1 + t * t));
  const double square = t * t;
  double series = 1.0 / 23;
  for (int odd = 21; odd >= 1; odd -= 2) series = 1.0 / odd - series * square;
  const double angle = 4 * t * series;
  const double result = inverted ? pi / 2 - angle : angle;
  return x < 0 ? -result : result;
}

inline double atan2(double y, double x) {
  if (x != x || y != y) return not_a_number;
  const bool negative = (bits_of(y) >> 63) != 0, left = (bits_of(x) >> 63) != 0;
  const double height = abs(y), width = abs(x);
  double angle = height == width      ? (height == 0 ? 0 : pi / 4)
                 : height == infinity ? pi / 2
                                      : atan(height / width);
  if (left) angle = pi - angle;
  return negative ? -angle : angle;
}

inline double acos(double x) { return 2 * atan2(sqrt(1 - x), sqrt(1 + x)); }

inline double log1p(double x) {
  const double u = 1 + x;
  if (u == 1) return x;
  return u == infinity ? u : log(u) * x / (u - 1);
}

/// log |Gamma(x)|: reflection for x < 1/2, the recurrence up to 10, and from there Stirling's series.
inline double log_gamma(double x) {
  if (x != x) return x;
  if (x <= 0 && x == floor(x)) return infinity;
  if (x < 0.5) {
    const double within = x - 2 * floor(x / 2);
    return log(pi / abs(sin(pi * within))) - log_gamma(1 - x);
  }
  double product = 1;
  for (; x < 10; x += 1) product *= x;
  if (x == infinity) return x;
  const double s = 1 / (x * x);
  const double series =
      (1.0 / 12 -
       s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s * (1.0 / 1188 - s * 691.0 / 360360))))) /
      x;
  return (x - 0.5) * log(x) - x + 0.91893853320467274178 + series - log(product);
}

inline double pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  const bool whole = y == floor(y), odd = whole && floor(y / 2) * 2 != y;
  if (x < 0 && !whole) return not_a_number;
  if (x == 0) {
    const double size = y > 0 ? 0 : infinity;
    return odd && (bits_of(x) >> 63) != 0 ? -size : size;
  }
  const double size = exp(y * log(abs(x)));
  return x < 0 && odd ? -size : size;
}

}  // namespace device
