#include "compiler/tensor/philox.h"

#include <algorithm>
#include <cmath>
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

/// An endless stream for one element.
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
  // The logarithm of a draw: Marsaglia & Tsang (2000); below shape 1 through shape + 1.
  double log_gamma(double shape) {
    if (shape < 1) return log_gamma(shape + 1) + std::log(uniform()) / shape;
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    while (true) {
      const double x = normal(), v = std::pow(1 + c * x, 3);
      if (v > 0 && std::log(uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
    }
  }
  // Arrivals of rate 1 before `rate`; where they are too many to count, the normal law that theirs tends to.
  double poisson(double rate) {
    if (rate > 1e6) return std::floor(rate + std::sqrt(rate) * normal() + 0.5);
    double time = -std::log(uniform());
    int count = 0;
    for (; time < rate; time -= std::log(uniform())) ++count;
    return count;
  }
  // Best & Fisher (1979).
  double von_mises(double mean, double concentration) {
    if (concentration < 1e-6) return 2 * std::numbers::pi * uniform() - std::numbers::pi;
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
    case Op::gamma:
      return stream.log_gamma(a);
    case Op::beta: {
      const double x = stream.log_gamma(a), y = stream.log_gamma(b);
      return 1 / (1 + std::exp(y - x));
    }
    case Op::poisson:
      return stream.poisson(a);
    case Op::binomial: {
      int count = 0;
      for (int i = 0; i < static_cast<int>(a); ++i) count += stream.uniform() < b ? 1 : 0;
      return count;
    }
    case Op::von_mises:
      return stream.von_mises(a, b);
    default:
      throw std::logic_error("not a random draw");
  }
}

}  // namespace tensor
