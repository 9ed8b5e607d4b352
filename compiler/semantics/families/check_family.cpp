// The numeric check of a family's declaration, on a grid of parameter values. The density must have mass 1,
// and `expected` must be the mean of x. The derivative of the log-partition must equal the mean of the
// statistic. Draws must have these means within Monte-Carlo error. A declared log-density must equal that of
// the terms.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/families/cache_family.h"
#include "compiler/semantics/graph/evaluate_numeric.h"

namespace semantics {

namespace {

/// Values of x, each with the weight that it has in sums and integrals. The elements of a vector are
/// consecutive columns.
struct Points {
  std::vector<std::vector<double>> values;
  std::vector<double> weights;
};

/// Double-exponential quadrature (Takahasi & Mori 1974): x(t) for evenly spaced t in [-reach, reach].
Points line(DomainKind kind, int steps, double reach) {
  Points points;
  const double half = std::numbers::pi / 2;
  for (int i = -steps; i <= steps; ++i) {
    const double h = reach / steps, t = i * h;
    const double u = half * std::sinh(t), du = half * std::cosh(t) * h;
    double x = 0, weight = 0;
    if (kind == DomainKind::real) {
      x = std::sinh(u);
      weight = std::cosh(u) * du;
    } else if (kind == DomainKind::positive) {
      x = std::exp(u);
      weight = x * du;
    } else {
      x = 1 / (1 + std::exp(-2 * u));
      weight = 2 * x / (1 + std::exp(2 * u)) * du;
    }
    if (!std::isfinite(x) || !std::isfinite(weight) || weight == 0 || (kind == DomainKind::unit && x == 1))
      continue;
    points.values.push_back({x});
    points.weights.push_back(weight);
  }
  return points;
}

/// The number of coordinates that can vary; for a simplex all except one.
int64_t dimensions(DomainKind kind, int64_t elements) {
  return kind == DomainKind::simplex ? elements - 1 : elements;
}

/// Adds every combination of the points of `coordinate` along the coordinates that are left, after those in
/// `begun`. For a simplex, each coordinate takes a share of the rest of a stick of length 1.
void combine(const Points& coordinate, DomainKind kind, int64_t left, std::vector<double> begun,
             double weight, double stick, Points& points) {
  if (left == 0) {
    if (kind == DomainKind::simplex) begun.push_back(stick);
    points.values.push_back(std::move(begun));
    points.weights.push_back(weight);
    return;
  }
  for (size_t i = 0; i < coordinate.values.size(); ++i) {
    const double share = coordinate.values[i][0];
    std::vector<double> longer = begun;
    longer.push_back(stick * share);
    const bool simplex = kind == DomainKind::simplex;
    combine(coordinate, kind, left - 1, std::move(longer), weight * coordinate.weights[i] * stick,
            simplex ? stick * (1 - share) : stick, points);
  }
}

/// The points for sums and integrals over the domain; none if it has too many coordinates.
Points points_of(DomainKind kind, int64_t elements) {
  constexpr int largest_count = 5000, corners = 2000;
  Points points;
  const auto add = [&](std::vector<double> x, double weight) {
    points.values.push_back(std::move(x));
    points.weights.push_back(weight);
  };
  switch (kind) {
    case DomainKind::binary:
      add({0}, 1);
      add({1}, 1);
      return points;
    case DomainKind::category:
      for (int64_t k = 0; k < elements; ++k) {
        std::vector<double> one_hot(static_cast<size_t>(elements));
        one_hot[static_cast<size_t>(k)] = 1;
        add(one_hot, 1);
      }
      return points;
    case DomainKind::count:
      for (int i = 0; i < largest_count; ++i) add({static_cast<double>(i)}, 1);
      return points;
    case DomainKind::angle:
      for (int i = 0; i < corners; ++i)
        add({-std::numbers::pi + (i + 0.5) * 2 * std::numbers::pi / corners}, 2 * std::numbers::pi / corners);
      return points;
    default:
      break;
  }
  const int64_t left = dimensions(kind, elements);
  if (left > 3) return points;
  // The more coordinates there are, the fewer points each has. With three, an unbounded line ends at a few
  // thousand.
  const bool simplex = kind == DomainKind::simplex;
  const int steps = left == 1 ? 2000 : left == 2 ? 60 : simplex ? 16 : 20;
  const Points coordinate = line(simplex ? DomainKind::unit : kind, steps, left == 3 && !simplex ? 2.5 : 4);
  combine(coordinate, kind, left, {}, 1, 1, points);
  return points;
}

std::vector<double> grid_of(DomainKind kind) {
  switch (kind) {
    case DomainKind::positive:
      return {0.5, 1, 2.2};
    case DomainKind::unit:
      return {0.2, 0.5, 0.8};
    case DomainKind::simplex:
      return {0.2, 0.3, 0.5};
    default:
      return {-0.8, 0, 1.1};
  }
}

/// Element j of a vector parameter at place g of the grid.
double element_of(DomainKind kind, size_t g, size_t j) {
  const auto grid = grid_of(kind);
  return grid[(g + j) % grid.size()];
}

/// For each parameter, one value per element.
using Parameters = std::vector<std::vector<double>>;

class Check {
 public:
  Check(Evaluation& evaluation, const syntax::FamilyDecl& decl, const std::map<std::string, Value>& fixed,
        base::Span used_at)
      : e_(evaluation), decl_(decl), fixed_(fixed), used_at_(used_at) {
    domain_.kind = *kind_of_domain(decl.domain.name.text);
    const bool classes = domain_.kind == DomainKind::category || domain_.kind == DomainKind::simplex;
    elements_ = classes ? 3 : decl.domain.shape.empty() ? 1 : 2;
    elements_ = evaluation.declared_extent(decl).value_or(elements_);
    if (classes) domain_.classes = elements_;
    vector_ = classes || !decl.domain.shape.empty();
    points_ = points_of(domain_.kind, elements_);
  }

  /// Returns false after an error. `anew`: checks even if the cache has an equal family.
  bool run(bool anew) {
    one_ = make(0);
    if (!one_.whole) return false;
    if (!points_.weights.empty()) many_ = make(points_.weights.size());
    drawn_ = make(draws);
    if (!(many_.whole || points_.weights.empty()) || !drawn_.whole)
      return false;  // was reported; a shape may forbid what a single value allows
    const std::string content = content_of(one_, domain_);
    if (!anew && is_cached(content)) return true;
    size_t combinations = 1;
    for (const auto& parameter : one_.parameters) combinations *= grid_of(parameter.domain).size();
    const size_t stride = combinations / most_combinations + 1;
    for (size_t combination = 0; combination < combinations; combination += stride) {
      Parameters parameters;
      size_t rest = combination;
      for (const auto& parameter : one_.parameters) {
        const size_t places = grid_of(parameter.domain).size();
        std::vector<double> values;
        for (int64_t j = 0; j < count(parameter.shape); ++j)
          values.push_back(element_of(parameter.domain, rest % places, static_cast<size_t>(j)));
        parameters.push_back(values);
        rest /= places;
      }
      if (!check(parameters)) return false;
    }
    keep_checked(content);
    return true;
  }

 private:
  static constexpr size_t draws = 20000, most_combinations = 27;
  static constexpr double tolerance = 1e-3, step = 1e-5, deviations = 6;
  static constexpr double least_log_density = -30, exact = 1e-6;

  FamilyTemplate make(size_t positions) {
    Shape shape;
    if (vector_ && domain_.classes == 0) shape.push_back(elements_);
    if (positions > 0) shape.push_back(static_cast<int64_t>(positions));
    return e_.make_template(decl_, domain_, shape, fixed_);
  }

  /// Evaluates the template with every element of a parameter repeated over the positions.
  static NumericEvaluator evaluate(const FamilyTemplate& t, const Parameters& parameters,
                                   const Numbers& x = {}) {
    return NumericEvaluator(t.graph, [&t, parameters, x](const Node& node) {
      const auto index = static_cast<size_t>(node.index);
      if (index == t.parameters.size()) return x;
      const auto positions = static_cast<size_t>(count(t.positions));
      Numbers values;
      for (const double value : parameters[index]) values.insert(values.end(), positions, value);
      return values;
    });
  }

  std::string at(const Parameters& parameters) const {
    std::string text;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto& values = parameters[i];
      text += (text.empty() ? "at " : ", ") + one_.parameters[i].name + " = ";
      text += values.size() == 1 && one_.parameters[i].shape.empty()
                  ? fmt::format("{:.6g}", values[0])
                  : fmt::format("[{:.6g}]", fmt::join(values, ", "));
    }
    for (const auto& [name, value] : fixed_)
      if (holds_number(value))
        text += fmt::format("{}{} = {:.6g}", text.empty() ? "at " : ", ", name, number_in(value));
    return text.empty() ? "" : text + ": ";
  }

  bool refuse(base::Diagnostic& diagnostic, const std::string& label) {
    diagnostic.label(label);
    if (!(used_at_ == decl_.name.span)) diagnostic.note(used_at_, "used here");
    return false;
  }

  /// A mean, and its possible error if it was estimated from draws.
  struct Mean {
    double value = 0, error = 0;
  };
  using Means = std::vector<Mean>;

  static bool near(double a, const Mean& b) {
    return std::abs(a - b.value) <= b.error + tolerance * (1 + std::abs(a) + std::abs(b.value));
  }

  bool check(const Parameters& parameters) {
    auto drawing = evaluate(drawn_, parameters, Numbers(static_cast<size_t>(elements_) * draws));
    auto drawn = evaluate(drawn_, parameters, drawing(drawn_.sample));
    if (points_.weights.empty()) {
      // There are too many coordinates to integrate over, so the slopes are compared with draws only.
      std::vector<Means> means;
      for (const auto& term : drawn_.terms) means.push_back(mean_of_draws(drawn, term.statistic));
      if (!check_density(parameters, drawn_, drawn, drawn(drawn_.x))) return false;
      return check_log_partition(parameters, means) &&
             check_expected(parameters, mean_of_draws(drawn, drawn_.x));
    }
    const bool sums = domain_.kind == DomainKind::binary || domain_.kind == DomainKind::category ||
                      domain_.kind == DomainKind::count;
    const size_t positions = points_.weights.size();
    Numbers x;
    for (size_t k = 0; k < points_.values[0].size(); ++k)
      for (size_t i = 0; i < positions; ++i) x.push_back(points_.values[i][k]);
    auto values = evaluate(many_, parameters, x);
    Numbers mass = values(many_.derived);
    for (size_t i = 0; i < positions; ++i) mass[i] = std::exp(mass[i]) * points_.weights[i];
    const double total = std::accumulate(mass.begin(), mass.end(), 0.0);
    if (!(std::abs(total - 1) < tolerance))
      return refuse(e_.report.add(base::E0406, decl_.name.span, decl_.name.text, sums ? "sum" : "integrate"),
                    fmt::format("{}it {} to {:.6g}", at(parameters), sums ? "sums" : "integrates", total));

    // The mean of a node of the template under the density: one number for each element at a position.
    const auto mean_of = [&](NodeId node) {
      const Numbers& all = values(node);
      Means means(all.size() / positions);
      for (size_t k = 0; k < means.size(); ++k)
        for (size_t i = 0; i < positions; ++i)
          if (mass[i] > 0) means[k].value += mass[i] * all[k * positions + i];
      return means;
    };
    if (!check_density(parameters, many_, values, x)) return false;
    std::vector<Means> means;
    for (const auto& term : many_.terms) means.push_back(mean_of(term.statistic));
    return check_log_partition(parameters, means) && check_expected(parameters, mean_of(many_.x)) &&
           check_draws(parameters, means, drawn);
  }

  // A declared log-density must equal that of the terms at every x that is not very unlikely.
  bool check_density(const Parameters& parameters, const FamilyTemplate& t, NumericEvaluator& values,
                     const Numbers& x) {
    if (!t.declared) return true;
    const Numbers derived = values(t.derived), declared = values(t.declared);
    for (size_t i = 0; i < derived.size(); ++i) {
      if (derived[i] < least_log_density ||
          std::abs(declared[i] - derived[i]) <= exact * (1 + std::abs(derived[i])))
        continue;
      Numbers at_point;
      for (size_t k = i; k < x.size(); k += derived.size()) at_point.push_back(x[k]);
      return refuse(e_.report.add(base::E0409, decl_.name.span, "log_density", decl_.name.text),
                    fmt::format("{}at {} = {:.6g} it is {:.6g}, the terms give {:.6g}", at(parameters),
                                decl_.variable.text, fmt::join(at_point, ", "), declared[i], derived[i]));
    }
    return true;
  }

  static Means mean_of_draws(NumericEvaluator& drawn, NodeId node) {
    const Numbers& values = drawn(node);
    Means means(values.size() / draws);
    for (size_t k = 0; k < means.size(); ++k) {
      double sum = 0, squares = 0;
      for (size_t d = 0; d < draws; ++d) {
        sum += values[k * draws + d];
        squares += values[k * draws + d] * values[k * draws + d];
      }
      const double mean = sum / draws;
      means[k] = {mean, deviations * std::sqrt(std::max(squares / draws - mean * mean, 0.0) / draws)};
    }
    return means;
  }

  // d log_partition / d theta = <d natural / d theta, mean of the statistic>, by central differences.
  bool check_log_partition(const Parameters& parameters, const std::vector<Means>& means) {
    for (size_t p = 0; p < parameters.size(); ++p)
      for (size_t j = 0; j < parameters[p].size(); ++j) {
        Parameters up = parameters, down = parameters;
        up[p][j] += step;
        down[p][j] -= step;
        const Numbers no_x(static_cast<size_t>(elements_));
        auto above = evaluate(one_, up, no_x), below = evaluate(one_, down, no_x);
        const double slope = (above(one_.log_partition)[0] - below(one_.log_partition)[0]) / (2 * step);
        Mean demanded;
        for (size_t i = 0; i < one_.terms.size(); ++i) {
          const Numbers high = above(one_.terms[i].natural), low = below(one_.terms[i].natural);
          for (size_t k = 0; k < high.size(); ++k) {
            demanded.value += (high[k] - low[k]) / (2 * step) * means[i][k].value;
            demanded.error += std::abs(high[k] - low[k]) / (2 * step) * means[i][k].error;
          }
        }
        if (near(slope, demanded)) continue;
        return refuse(
            e_.report.add(base::E0407, decl_.name.span, decl_.name.text),
            fmt::format("{}d log_partition / d {} is {:.6g}, the mean of the statistic demands {:.6g}",
                        at(parameters), one_.parameters[p].name, slope, demanded.value));
      }
    return true;
  }

  bool check_expected(const Parameters& parameters, const Means& mean) {
    if (!one_.mean) return true;
    auto values = evaluate(one_, parameters, Numbers(static_cast<size_t>(elements_)));
    const Numbers& expected = values(one_.mean);
    for (size_t k = 0; k < mean.size(); ++k) {
      if (near(expected[k], mean[k])) continue;
      const std::string declared = one_.expected ? "`expected`" : "the mean that the log-partition gives";
      return refuse(e_.report.add(base::E0409, decl_.name.span, "expected", decl_.name.text),
                    fmt::format("{}{} is {:.6g}, the density's mean {:.6g}", at(parameters), declared,
                                expected[k], mean[k].value));
    }
    return true;
  }

  bool check_draws(const Parameters& parameters, const std::vector<Means>& means, NumericEvaluator& drawn) {
    for (size_t i = 0; i < drawn_.terms.size(); ++i) {
      const Means by_draws = mean_of_draws(drawn, drawn_.terms[i].statistic);
      for (size_t k = 0; k < means[i].size(); ++k) {
        const Mean& mean = by_draws[k];
        if (std::abs(mean.value - means[i][k].value) <= mean.error + tolerance * (1 + std::abs(mean.value)))
          continue;
        return refuse(
            e_.report.add(base::E0408, decl_.name.span, decl_.name.text),
            fmt::format("{}the statistic's mean is {:.4g} over draws of `sample`, {:.4g} under the density",
                        at(parameters), mean.value, means[i][k].value));
      }
    }
    return true;
  }

  Evaluation& e_;
  const syntax::FamilyDecl& decl_;
  const std::map<std::string, Value>& fixed_;
  base::Span used_at_;
  Domain domain_;
  int64_t elements_ = 1;
  bool vector_ = false;
  Points points_;
  FamilyTemplate one_, many_, drawn_;  // with one position; with all points; with all draws
};

}  // namespace

void Evaluation::check_family(const syntax::FamilyDecl& decl, const std::map<std::string, Value>& fixed,
                              base::Span used_at, bool anew) {
  Check(*this, decl, fixed, used_at).run(anew);
}

}  // namespace semantics
