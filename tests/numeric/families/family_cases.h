// The families of the standard library, each with two choices of parameters, and with points over its domain
// for sums and integrals. A family without a case fails the test that lists them.
#pragma once
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <ostream>
#include <string>
#include <vector>

namespace family_cases {

using Numbers = std::vector<double>;

struct Case {
  std::string family;
  std::string domain;
  std::string fixed;        // further arguments of the call
  std::vector<Numbers> at;  // one value per parameter that is not fixed
  std::vector<Numbers> and_at;
  bool entropy = false;  // the family has an entropy in closed form
  bool mean = true;      // the family has a mean in closed form
};

inline void PrintTo(const Case& c, std::ostream* out) { *out << c.family; }

inline const std::vector<Case>& cases() {
  static const std::vector<Case> table = {
      {"Bernoulli", "binary", "", {{0.4}}, {{-1.3}}, true},
      {"Categorical", "category(4)", "", {{0.3, -1, 0.8, 0.1}}, {{0, 0.5, -0.5, 1}}, true},
      {"Normal", "real", "", {{0.7}, {-0.4}}, {{-0.5}, {0.3}}, true},
      {"LogNormal", "positive", "", {{0.3}, {-0.6}}, {{0.1}, {-0.2}}, true},
      {"LogitNormal", "unit", "", {{-0.8}, {0.2}}, {{0.3}, {-0.1}}, false, false},
      {"Uniform", "unit", "", {}, {}, true},
      {"Poisson", "count", "", {{1.2}}, {{0.7}}, false},
      {"Exponential", "positive", "", {{0.6}}, {{-0.3}}, true},
      {"Gamma", "positive", "", {{0.9}, {0.4}}, {{0.2}, {-0.3}}, true},
      {"Beta", "unit", "", {{0.7}, {0.2}}, {{0.1}, {0.5}}, true},
      {"Laplace", "real", ", location = 0.5", {{-0.3}}, {{0.4}}, true},
      {"Geometric", "count", "", {{-0.7}}, {{0.2}}, true},
      {"NegativeBinomial", "count", ", size = 3", {{-0.2}}, {{0.6}}, false},
      {"Binomial", "count", ", size = 9", {{0.5}}, {{-0.4}}, false},
      {"VonMises", "angle", "", {{0.9}, {-1.1}}, {{-0.2}, {0.4}}, true, false},
      {"Dirichlet", "simplex(3)", "", {{0.4, 0.9, 0.2}}, {{0.1, 0.3, 0.7}}, true},
      {"ContinuousBernoulli", "unit", "", {{1.4}}, {{-0.6}}, true},
  };
  return table;
}

/// A value of x as a tensor, and its weight in the sum or the integral.
struct Point {
  Numbers x;
  double weight;
};

/// The points of a rule for sums or integrals. For continuous domains they are equidistant in a coordinate in
/// which the densities decrease on both sides.
inline std::vector<Point> points_of(const std::string& domain) {
  std::vector<Point> points;
  constexpr int n = 2400;
  if (domain == "binary") return {{{0}, 1}, {{1}, 1}};
  if (domain == "category(4)")
    return {{{1, 0, 0, 0}, 1}, {{0, 1, 0, 0}, 1}, {{0, 0, 1, 0}, 1}, {{0, 0, 0, 1}, 1}};
  if (domain == "simplex(3)") {
    constexpr int side = 160;
    for (int i = 0; i < side; ++i)
      for (int j = 0; j < side; ++j) {
        const double s = -15 + 30 * (i + 0.5) / side, t = -15 + 30 * (j + 0.5) / side;
        const double u = 1 / (1 + std::exp(-s)), v = 1 / (1 + std::exp(-t)), step = 30.0 / side;
        points.push_back(
            {{u, (1 - u) * v, (1 - u) * (1 - v)}, step * step * u * (1 - u) * v * (1 - v) * (1 - u)});
      }
    return points;
  }
  for (int i = 0; i < n; ++i) {
    const double share = (i + 0.5) / n;
    if (domain == "count") {
      if (i < 200) points.push_back({{static_cast<double>(i)}, 1});
    } else if (domain == "angle") {
      points.push_back({{-std::numbers::pi + 2 * std::numbers::pi * share}, 2 * std::numbers::pi / n});
    } else {
      const double t = -30 + 60 * share, step = 60.0 / n;
      if (domain == "real") points.push_back({{std::sinh(t / 5)}, std::cosh(t / 5) * step / 5});
      if (domain == "positive") points.push_back({{std::exp(t / 2)}, std::exp(t / 2) * step / 2});
      const double u = 1 / (1 + std::exp(-t));
      if (domain == "unit") points.push_back({{u}, u * (1 - u) * step});
    }
  }
  return points;
}

/// The call of the family with parameters as arguments: `Family(parameter([..]), ...)`.
inline std::string call_of(const Case& c) {
  std::string arguments;
  for (const Numbers& value : c.at)
    arguments += (arguments.empty() ? "" : ", ") +
                 ("parameter([" + (value.size() > 1 ? std::to_string(value.size()) : std::string()) + "])");
  return c.family + "(" + arguments + c.fixed + ")";
}

}  // namespace family_cases
