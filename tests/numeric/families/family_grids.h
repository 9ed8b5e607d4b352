// The families of the standard library on grids of ordinary and extreme parameters and values, with the
// formulas of torch.distributions in float and references in long double.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/numeric/families/family_divergences_f32.h"
#include "tests/numeric/families/family_kernels.h"

namespace family_grids {

namespace formulas = family_formulas;
using family_kernels::Family;
using family_kernels::Row;
using LongRow = std::vector<long double>;

struct Grid {
  Family family;
  std::vector<Row> rows;
  std::function<float(const Row&)> in_float;
  std::function<long double(const LongRow&)> exact;
  /// The largest of the terms whose difference is the gradient or the divergence; torch.distributions has the
  /// same terms.
  std::function<double(const Row&)> largest = [](const Row&) { return 0; };
};

inline void PrintTo(const Grid& grid, std::ostream* out) { *out << grid.family.name << grid.family.fixed; }

inline LongRow lengthened(const Row& row) { return {row.begin(), row.end()}; }

inline std::vector<Row> combinations(const std::vector<std::vector<float>>& parameters) {
  std::vector<Row> all = {{}};
  for (const auto& choices : parameters) {
    std::vector<Row> longer;
    for (const Row& begun : all)
      for (const float choice : choices) {
        longer.push_back(begun);
        longer.back().push_back(choice);
      }
    all = longer;
  }
  return all;
}

/// The combinations of the parameters, each with several values of x.
inline std::vector<Row> combine(const std::vector<std::vector<float>>& parameters,
                                const std::function<std::vector<double>(const Row&)>& values) {
  std::vector<Row> rows;
  for (const Row& combination : combinations(parameters))
    for (const double x : values(combination)) {
      rows.push_back({static_cast<float>(x)});
      rows.back().insert(rows.back().end(), combination.begin(), combination.end());
    }
  return rows;
}

inline std::vector<double> about(double mean, double std, double least, bool whole, double most = INFINITY) {
  std::vector<double> values;
  for (const double k : {-3.0, -1.0, -0.1, 0.0, 0.4, 2.0, 6.0}) {
    const double x = std::clamp(mean + k * std, least, most);
    values.push_back(whole ? std::floor(x) : x);
  }
  return values;
}

/// Rows of a normal family whose values are passed through `transformed`.
inline std::vector<Row> normal_rows(const std::function<double(double)>& transformed, double furthest) {
  const std::vector<std::vector<float>> locations_and_scales = {{0, 0.3F, -4, 300, 10000, 2015, -1e6F},
                                                                {-16, -9, -2.3F, 0, 1.5F, 8}};
  return combine(locations_and_scales, [=](const Row& p) {
    std::vector<double> values;
    for (const double x : about(p[0], std::exp(p[1]), -1e30, false))
      if (std::abs(x) < furthest) values.push_back(transformed(x));
    return values;
  });
}

/// Each combination of three logits with each class.
inline std::vector<Row> categorical_rows() {
  const std::vector<float> logits = {-1e4F, -20, 0, 0.7F, 30, 1000};
  std::vector<Row> rows;
  for (const Row& combination : combinations({logits, logits, logits}))
    for (size_t k = 0; k < 3; ++k) {
      Row row(3);
      row[k] = 1;
      row.insert(row.end(), combination.begin(), combination.end());
      rows.push_back(row);
    }
  return rows;
}

/// Components of the simplex near their means and far from them.
inline std::vector<Row> dirichlet_rows() {
  std::vector<float> sizes;
  for (const double alpha : {1e-3, 0.4, 1.0, 12.0, 1e6}) sizes.push_back(static_cast<float>(std::log(alpha)));
  std::vector<Row> rows;
  for (const Row& combination : combinations({sizes, sizes, sizes}))
    for (const Row& weight : {Row{1, 1, 1}, Row{1.001F, 1, 0.999F}, Row{3, 0.2F, 1}, Row{1e-6F, 1, 1e-3F}}) {
      double sum = 0;
      for (size_t k = 0; k < 3; ++k) sum += weight[k] * std::exp(combination[k]);
      Row row;
      for (size_t k = 0; k < 3; ++k)
        row.push_back(static_cast<float>(weight[k] * std::exp(combination[k]) / sum));
      row.insert(row.end(), combination.begin(), combination.end());
      rows.push_back(row);
    }
  return rows;
}

inline std::vector<Row> von_mises_rows() {
  std::vector<Row> rows;
  for (const double concentration : {1e-6, 0.1, 1.0, 3.7, 19.0, 21.0, 300.0, 1e4, 1e6})
    for (const double mean : {0.0, 0.4, 1.6, -2.0, 3.14})
      for (const double away : {-3.0, -1.0, -0.1, 0.0, 0.4, 2.0}) {
        const double x = mean + away * std::min(1.0, 1 / std::sqrt(concentration));
        rows.push_back({static_cast<float>(std::remainder(x, 2 * std::numbers::pi)),
                        static_cast<float>(concentration * std::cos(mean)),
                        static_cast<float>(concentration * std::sin(mean))});
      }
  return rows;
}

#define FORMULA(expression)                                      \
  [](const Row& r) -> float {                                    \
    const auto f = [](const auto& v) { return expression; };     \
    return f(r);                                                 \
  },                                                             \
      [](const LongRow& r) -> long double {                      \
        const auto f = [](const auto& v) { return expression; }; \
        return f(r);                                             \
      }

/// The formula `function` of the vectors x and y in a row.
// NOLINTBEGIN(bugprone-macro-parentheses): the name of a template takes none
#define VECTOR_FORMULA(function)                                                                      \
  [](const Row& r) { return function<float>({r.begin(), r.begin() + 3}, {r.begin() + 3, r.end()}); }, \
      [](const LongRow& r) {                                                                          \
        return function<long double>({r.begin(), r.begin() + 3}, {r.begin() + 3, r.end()});           \
      }
// NOLINTEND(bugprone-macro-parentheses)

inline std::vector<float> logarithms(const std::vector<double>& values) {
  std::vector<float> result;
  for (const double value : values) result.push_back(static_cast<float>(std::log(value)));
  return result;
}

inline double exp_of(float x) { return std::exp(static_cast<double>(x)); }

const std::vector<float> logits = {-80, -12, -3, -0.2F, 0, 1.7F, 9, 30};
const std::vector<float> rates = logarithms({1e-3, 0.4, 3, 12, 1000, 1e6});

/// For families with the fixed parameter `size`.
inline std::vector<Grid> grids_of_attempts(double size) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const std::vector<float> moderate = {-12, -3, -0.2F, 0, 1.7F, 9};
  return {
      {{"NegativeBinomial", "count", fmt::format(", size = {}", size)},
       combine({moderate},
               [&](const Row& p) {
                 const double mean = size / exp_of(p[0]);
                 return about(mean, std::sqrt(mean / sigmoid(p[0])), 0, true);
               }),
       [size](const Row& v) { return formulas::negative_binomial(v[0], v[1], static_cast<float>(size)); },
       [size](const LongRow& v) {
         return formulas::negative_binomial(v[0], v[1], static_cast<long double>(size));
       }},
      {{"Binomial", "count", fmt::format(", size = {}", static_cast<int>(size))},
       combine({logits},
               [&](const Row& p) {
                 const double q = sigmoid(p[0]);
                 return about(size * q, std::sqrt(size * q * (1 - q)), 0, true, size);
               }),
       [size](const Row& v) { return formulas::binomial(v[0], v[1], static_cast<float>(size)); },
       [size](const LongRow& v) { return formulas::binomial(v[0], v[1], static_cast<long double>(size)); }}};
}

inline std::vector<Grid> grids() {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const std::vector<float> far_logits = {-1e4F, -300, -80, -20, -9, -1, 0, 0.3F, 2, 12, 30, 87, 1e4F};
  const auto both = [](const Row&) { return std::vector<double>{0, 1}; };
  const auto shares = [](const Row&) { return std::vector<double>{1e-30, 1e-6, 0.2, 0.5, 0.77, 1 - 1e-6}; };
  std::vector<Grid> all = {
      {{"Bernoulli", "binary"}, combine({far_logits}, both), FORMULA(formulas::bernoulli(v[0], v[1]))},
      {{"Categorical", "category(3)", "", "", 3}, categorical_rows(), VECTOR_FORMULA(formulas::categorical)},
      {{"Normal", "real"},
       normal_rows([](double x) { return x; }, 1e30),
       FORMULA(formulas::normal(v[0], v[1], v[2]))},
      {{"LogNormal", "positive"},
       normal_rows([](double x) { return std::exp(x); }, 80),
       FORMULA(formulas::log_normal(v[0], v[1], v[2]))},
      {{"LogitNormal", "unit"}, normal_rows(sigmoid, 14), FORMULA(formulas::logit_normal(v[0], v[1], v[2]))},
      {{"Poisson", "count"},
       combine({rates}, [](const Row& p) { return about(exp_of(p[0]), std::exp(0.5 * p[0]), 0, true); }),
       FORMULA(formulas::poisson(v[0], v[1]))},
      {{"Exponential", "positive"},
       combine({rates},
               [](const Row& p) {
                 return about(1 / exp_of(p[0]), 1 / exp_of(p[0]), 1e-3 / exp_of(p[0]), false);
               }),
       FORMULA(formulas::exponential(v[0], v[1]))},
      {{"Gamma", "positive"},
       combine({rates, {-6, 0, 4}},
               [](const Row& p) {
                 const double mean = exp_of(p[0]) / exp_of(p[1]);
                 return about(mean, mean / std::sqrt(exp_of(p[0])), 1e-2 * mean, false);
               }),
       FORMULA(formulas::gamma(v[0], v[1], v[2]))},
      {{"Beta", "unit"},
       combine({rates, rates},
               [](const Row& p) {
                 const double n = exp_of(p[0]) + exp_of(p[1]), mean = exp_of(p[0]) / n;
                 return about(mean, std::sqrt(mean * (1 - mean) / (n + 1)), 1e-2 * mean, false,
                              1 - 1e-2 * (1 - mean) - 1e-6);
               }),
       FORMULA(formulas::beta(v[0], v[1], v[2])),
       [](const Row& row) {
         const double n = exp_of(row[1]) + exp_of(row[2]);
         return n * (1 + std::abs(std::log(n)));
       }},
      {{"Laplace", "real", ", location = 1000"},
       combine({rates}, [](const Row& p) { return about(1000, exp_of(p[0]), -1e30, false); }),
       FORMULA(formulas::laplace(v[0], v[1], decltype(+v[0])(1000)))},
      {{"Geometric", "count"},
       combine({{-12, -3, -0.2F, 0, 1.7F, 9}},
               [](const Row& p) { return about(1 / exp_of(p[0]), 1 / exp_of(p[0]), 0, true); }),
       FORMULA(formulas::geometric(v[0], v[1]))},
      {{"VonMises", "angle"},
       von_mises_rows(),
       [](const Row& v) { return formulas::von_mises(v[0], v[1], v[2]); },
       [](const LongRow& v) { return formulas::exact_von_mises(v[0], v[1], v[2]); }},
      {{"Dirichlet", "simplex(3)", "", "", 3},
       dirichlet_rows(),
       VECTOR_FORMULA(formulas::dirichlet),
       [](const Row& row) {
         double n = 0, least = 1;
         for (size_t k = 0; k < 3; ++k) {
           n += exp_of(row[3 + k]);
           least = std::min<double>(least, row[k]);
         }
         return n * (1 + std::abs(std::log(n)) + std::abs(std::log(least)));
       }},
      {{"ContinuousBernoulli", "unit"},
       combine({{-1e4F, -300, -20, -1.01F, -0.99F, -0.02F, 0, 1e-3F, 0.5F, 3, 12, 87, 1e4F}}, shares),
       [](const Row& v) { return formulas::continuous_bernoulli(v[0], v[1]); },
       [](const LongRow& v) { return formulas::exact_continuous_bernoulli(v[0], v[1]); }},
  };
  for (const double size : {1.0, 7.0, 1000.0, 1e6})
    for (const Grid& grid : grids_of_attempts(size)) all.push_back(grid);
  return all;
}

/// The size of terms like log Gamma(sum): the terms of q and of p are added.
inline double log_gamma_terms(const Row& row, size_t of_a_sum) {
  double largest = 0;
  for (size_t begin = 0; begin < row.size(); begin += row.size() / 2) {
    double sum = 0;
    for (size_t k = 0; k < of_a_sum; ++k) sum += exp_of(row[begin + k]);
    largest += sum * (1 + std::abs(std::log(sum)));
  }
  return largest;
}

/// For divergences: a row has the parameters of q, then those of p.
inline std::vector<Grid> divergence_grids() {
  const std::vector<float> far_logits = {-80, -20, -9, -1, 0, 0.3F, 2, 12, 30, 87};
  const std::vector<float> means = {0, 4, 300}, scales = {-16, -3, 0, 2};
  const std::vector<float> shapes = logarithms({1e-2, 0.4, 1, 12, 1000, 1e6});
  const std::vector<float> some = logarithms({1e-2, 1, 12, 1e6});
  const auto pairs = [](const std::vector<float>& of) { return combinations({of, of}); };
  const std::vector<Row> normals = combinations({means, scales, {0, 4, 299.5F}, scales});
  std::vector<Grid> all = {
      {{"Bernoulli", "binary"}, pairs(far_logits), FORMULA(formulas::kl_bernoulli(v[0], v[1]))},
      {{"Binomial", "count", ", size = 7"},
       pairs({-20, -3, 0, 0.3F, 2, 9, 30}),
       FORMULA(formulas::kl_binomial(v[0], v[1], decltype(+v[0])(7)))},
      {{"Binomial", "count", ", size = 1_000_000"},
       pairs({-20, -3, 0, 0.3F, 2, 9, 30}),
       FORMULA(formulas::kl_binomial(v[0], v[1], decltype(+v[0])(1e6)))},
      {{"Categorical", "category(3)", "", "", 3},
       combinations({{0, 30}, {-20, 0.7F}, {1}, {0, -1000}, {0, 0.5F, 3}, {1, 80}}),
       VECTOR_FORMULA(formulas::kl_categorical)},
      {{"Normal", "real"}, normals, FORMULA(formulas::kl_normal(v[0], v[1], v[2], v[3]))},
      {{"LogNormal", "positive"}, normals, FORMULA(formulas::kl_normal(v[0], v[1], v[2], v[3]))},
      {{"LogitNormal", "unit"}, normals, FORMULA(formulas::kl_normal(v[0], v[1], v[2], v[3]))},
      {{"Poisson", "count"}, pairs(shapes), FORMULA(formulas::kl_poisson(v[0], v[1]))},
      {{"Exponential", "positive"}, pairs(shapes), FORMULA(formulas::kl_exponential(v[0], v[1]))},
      {{"Gamma", "positive"},
       combinations({shapes, {-9, 0, 4}, some, {0, 4.5F}}),
       FORMULA(formulas::kl_gamma(v[0], v[1], v[2], v[3])),
       [](const Row& row) { return log_gamma_terms(row, 1); }},
      {{"Beta", "unit"},
       combinations({some, shapes, some, some}),
       FORMULA(formulas::kl_dirichlet<std::decay_t<decltype(v[0])>>({v[0], v[1]}, {v[2], v[3]})),
       [](const Row& row) { return log_gamma_terms(row, 2); }},
      {{"Dirichlet", "simplex(3)", "", "", 3},
       combinations({some, some, {0}, some, {0, 2}, {0}}),
       VECTOR_FORMULA(formulas::kl_dirichlet),
       [](const Row& row) { return log_gamma_terms(row, 3); }},
      {{"Laplace", "real", ", location = 1000"}, pairs(shapes), FORMULA(formulas::kl_laplace(v[0], v[1]))},
      {{"Geometric", "count"},
       pairs({-12, -3, -0.2F, 0, 1.7F, 9}),
       [](const Row& v) { return formulas::kl_geometric(v[0], v[1]); },
       [](const LongRow& v) { return formulas::exact_kl_geometric(v[0], v[1]); }},
      {{"NegativeBinomial", "count", ", size = 3"},
       pairs({-12, -3, -0.2F, 0, 1.7F, 9}),
       [](const Row& v) { return 3 * formulas::kl_geometric(v[0], v[1]); },
       [](const LongRow& v) { return formulas::exact_kl_negative_binomial(v[0], v[1], 3); }},
      {{"ContinuousBernoulli", "unit"},
       pairs({-300, -20, -1.01F, -0.02F, 0, 1e-3F, 0.5F, 3, 12, 87}),
       [](const Row& v) { return formulas::kl_continuous_bernoulli(v[0], v[1]); },
       [](const LongRow& v) { return formulas::exact_kl_continuous_bernoulli(v[0], v[1]); }},
      {{"VonMises", "angle"},
       combinations({{0, 0.5F, 30, 1000}, {-0.1F, 3}, {0, 1, 40}, {0, 2}}),
       [](const Row& v) { return static_cast<float>(formulas::exact_kl_von_mises(v[0], v[1], v[2], v[3])); },
       [](const LongRow& v) { return formulas::exact_kl_von_mises(v[0], v[1], v[2], v[3]); },
       [](const Row& row) { return std::hypot(row[0], row[1]) + std::hypot(row[2], row[3]); }},
  };
  return all;
}

}  // namespace family_grids
