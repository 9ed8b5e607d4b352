#include "runtime/data/sets/synthetic.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <numbers>

#include "runtime/data/sets/random.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

constexpr double pi = std::numbers::pi;

struct Place {
  double x, y;
};

struct Curve {
  Place (*at)(double z, bool y);
  double variance;
  bool labelled = false;
};

double normal_cdf(double z) { return .5 * std::erfc(-z / std::numbers::sqrt2); }

/// A smooth step function: for most z the result is close to one of a few values.
double plateaus(double u) {
  return std::tanh(10 * u - 20 * std::floor(u / 2) - 10) + 2 * std::floor(u / 2) + 1;
}
double stretched(double z, double turns) { return turns * pi / (1 + std::exp(-pi * z / 2)); }

Place figure8_point(double z, bool) {
  const double u = (.6 + 1.8 * normal_cdf(z)) * pi, below = std::sin(u) * std::sin(u) + 1;
  return {std::numbers::sqrt2 / 2 * std::cos(u) / below,
          std::numbers::sqrt2 * std::cos(u) * std::sin(u) / below};
}
Place circle_point(double z, bool) {
  const double u = 2 * pi * normal_cdf(z);
  return {std::cos(u), std::sin(u)};
}
Place absolute_point(double z, bool) { return {z, std::fabs(z)}; }
Place clusters_point(double z, bool) {
  const double t = 2 * plateaus(stretched(z, 2));
  return {std::cos(t), std::sin(t)};
}
Place spiral_dots_point(double z, bool) {
  const double t = plateaus(stretched(z, 4));
  return {t * std::cos(t), t * std::sin(t)};
}
Place semi_circles_point(double z, bool y) {
  const double cdf = normal_cdf(z), u = y ? pi * cdf * cdf * cdf : pi * std::sqrt(cdf);
  return {std::cos(u), std::sin(u)};
}

// The paper gives no variance for semi_circles; that of the circle is used.
const std::map<std::string, Curve> curves = {
    {"figure8", {figure8_point, .02}},         {"circle", {circle_point, .01}},
    {"absolute", {absolute_point, .01}},       {"clusters", {clusters_point, .2}},
    {"spiral_dots", {spiral_dots_point, .01}}, {"semi_circles", {semi_circles_point, .01, true}},
};

}  // namespace

Table draw_synthetic(const std::string& set, int64_t n, uint64_t seed) {
  if (n < 1 || n > 100'000'000)
    throw Failure(Exit::bad_configuration,
                  fmt::format("{}: `n` must be from 1 to 100000000, not {}", set, n));
  const Curve& curve = curves.at(set);
  const double deviation = std::sqrt(curve.variance);
  std::vector<float> points(2 * n), factors(n), classes(n);
  Random random(seed);
  for (int64_t i = 0; i < n; ++i) {
    const double z = random.normal();
    const bool y = random.below(2) == 1;
    const Place point = curve.at(z, y);
    points[2 * i] = static_cast<float>(point.x + deviation * random.normal());
    points[2 * i + 1] = static_cast<float>(point.y + deviation * random.normal());
    factors[i] = static_cast<float>(z);
    classes[i] = y;
  }
  Table table;
  table.columns = {real_column("x", {2}, n, std::move(points)), real_column("z", {}, n, std::move(factors))};
  if (curve.labelled) table.columns.push_back(real_column("y", {}, n, std::move(classes)));
  return table;
}

}  // namespace data
