#include "compiler/tensor/philox.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

namespace tensor {

Counter philox(Counter c, uint64_t key) {
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(a)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

namespace {

double to_unit(uint32_t word) { return ((word >> 9) + 0.5) * 0x1p-23; }

constexpr double none = std::numeric_limits<double>::quiet_NaN();
/// Up to this mean, events are counted one by one. Above it, a normal distribution approximates their number.
constexpr double most_counted = 1e4;

/// An endless stream of random numbers for one element. Every draw ends, whatever its parameters are.
class Stream {
 public:
  explicit Stream(const DrawPlace& place) : place_(place) {}
  double uniform() {
    if (next_ == 4) {
      words_ = philox(
          {static_cast<uint32_t>(place_.element), place_.site | 0x20000000u,
           static_cast<uint32_t>(place_.step), (static_cast<uint32_t>(place_.step >> 32) << 16) + block_++},
          place_.seed);
      next_ = 0;
    }
    return to_unit(words_[next_++]);
  }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  // The logarithm of a Gamma draw by Marsaglia & Tsang (2000). A shape below 1 uses a draw with shape + 1.
  double log_gamma(double shape) {
    if (!(shape >= 0) || std::isinf(shape)) return none;
    if (shape < 1) return log_gamma(shape + 1) + std::log(uniform()) / shape;
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    while (true) {
      const double x = normal(), e = c * x;
      if (e <= -1) continue;
      // v = (1 + e)^3. `above_one` is v - 1: computing v first would lose digits, which a large d would
      // magnify.
      const double above_one = e * (3 + e * (3 + e)), log_v = 3 * std::log1p(e);
      if (std::log(uniform()) < 0.5 * x * x + d * (log_v - above_one)) return std::log(d) + log_v;
    }
  }
  // Counts arrivals at rate 1 before time `rate`.
  double poisson(double rate) {
    if (!(rate >= 0) || std::isinf(rate)) return rate >= 0 ? rate : none;
    if (rate > most_counted) return std::floor(rate + std::sqrt(rate) * normal() + 0.5);
    double time = -std::log(uniform());
    int count = 0;
    for (; time < rate; time -= std::log(uniform())) ++count;
    return count;
  }
  // Counts successes. The number of attempts up to each success is geometric.
  double binomial(double n, double prob) {
    if (!(n >= 0 && prob >= 0 && prob <= 1) || std::isinf(n)) return none;
    if (prob > 0.5) return std::floor(n) - binomial(n, 1 - prob);
    n = std::floor(n);
    const double mean = n * prob;
    if (mean > most_counted) {
      const double drawn = std::floor(mean + std::sqrt(mean * (1 - prob)) * normal() + 0.5);
      return std::clamp(drawn, 0.0, n);
    }
    if (mean == 0) return 0;
    const auto attempts = [&] { return std::floor(std::log(uniform()) / std::log1p(-prob)) + 1; };
    int count = 0;
    for (double tried = attempts(); tried <= n; tried += attempts()) ++count;
    return count;
  }
  // Best & Fisher (1979). Above the concentration `narrow`, a normal distribution approximates the draw.
  double von_mises(double mean, double concentration) {
    constexpr double narrow = 1e8;
    if (!(concentration >= 0) || !std::isfinite(mean)) return none;
    if (concentration < 1e-6) return 2 * std::numbers::pi * uniform() - std::numbers::pi;
    if (concentration > narrow)
      return std::remainder(mean + normal() / std::sqrt(concentration), 2 * std::numbers::pi);
    const double tau = 1 + std::sqrt(1 + 4 * concentration * concentration);
    const double rho = (tau - std::sqrt(2 * tau)) / (2 * concentration);
    const double r = (1 + rho * rho) / (2 * rho);
    while (true) {
      const double z = std::cos(std::numbers::pi * uniform());
      const double f = (1 + r * z) / (r + z), c = concentration * (r - f), u = uniform();
      if (c * (2 - c) <= u && std::log(c / u) + 1 < c) continue;
      const double side = uniform() < 0.5 ? -1 : 1;
      return std::remainder(mean + side * std::acos(std::clamp(f, -1.0, 1.0)), 2 * std::numbers::pi);
    }
  }

 private:
  DrawPlace place_;
  Counter words_{};
  size_t next_ = 4;
  uint32_t block_ = 0;
};

}  // namespace

double uniform_draw(const DrawPlace& place) {
  const uint64_t i = place.element;
  const auto word = static_cast<uint32_t>((i >> 7) * 32 + (i & 31));
  const Counter words =
      philox({word, place.site, static_cast<uint32_t>(place.step), static_cast<uint32_t>(place.step >> 32)},
             place.seed);
  return to_unit(words[(i >> 5) & 3]);
}

double draw(semantics::Op op, const DrawPlace& place, double a, double b) {
  using semantics::Op;
  Stream stream(place);
  switch (op) {
    case Op::uniform:
      return uniform_draw(place);
    case Op::normal: {
      DrawPlace second = place;
      second.site |= 0x80000000u;
      return std::sqrt(-2 * std::log(uniform_draw(place))) *
             std::cos(2 * std::numbers::pi * uniform_draw(second));
    }
    case Op::gumbel:
      return -std::log(-std::log(uniform_draw(place)));
    case Op::gamma_log:
      return stream.log_gamma(a);
    case Op::beta: {
      const double x = stream.log_gamma(a), y = stream.log_gamma(b);
      return 1 / (1 + std::exp(y - x));
    }
    case Op::poisson:
      return stream.poisson(a);
    case Op::binomial:
      return stream.binomial(a, b);
    case Op::von_mises:
      return stream.von_mises(a, b);
    default:
      throw std::logic_error("not a random draw");
  }
}

}  // namespace tensor
