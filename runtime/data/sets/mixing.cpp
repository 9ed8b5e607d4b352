#include "runtime/data/sets/mixing.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/data/sets/random.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;  // a list of rows

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// A random orthogonal matrix, Haar-distributed. From each row of a Gaussian matrix the components along the
/// earlier rows are subtracted, and the row is scaled to length 1.
Matrix random_orthogonal(size_t dim, Random& random) {
  Matrix rows(dim, Vector(dim));
  for (size_t i = 0; i < dim; ++i) {
    for (double& value : rows[i]) value = random.normal();
    for (int twice = 0; twice < 2; ++twice)  // one pass loses digits if rows are nearly parallel
      for (size_t j = 0; j < i; ++j) {
        const double along = dot(rows[i], rows[j]);
        for (size_t k = 0; k < dim; ++k) rows[i][k] -= along * rows[j][k];
      }
    const double length = std::sqrt(dot(rows[i], rows[i]));
    for (double& value : rows[i]) value /= length;
  }
  return rows;
}

Vector product(const Matrix& rows, const Vector& vector) {
  Vector result;
  for (const Vector& row : rows) result.push_back(dot(row, vector));
  return result;
}

void check_sizes(const char* reader, int64_t n, int64_t dim) {
  constexpr int64_t most = 100'000'000, largest = 1000;
  if (dim < 1 || dim > largest)
    throw Failure(Exit::bad_configuration,
                  fmt::format("{}: `dim` must be from 1 to {}, not {}", reader, largest, dim));
  if (n < 1 || n > most / dim)
    throw Failure(Exit::bad_configuration,
                  fmt::format("{}: `n` must be from 1 to {}, not {}", reader, most / dim, n));
}

Table table_of(int64_t n, int64_t dim, const Vector& observed, const Vector& sources) {
  Table table;
  table.columns = {real_column("x", {dim}, n, {observed.begin(), observed.end()}),
                   real_column("s", {dim}, n, {sources.begin(), sources.end()})};
  return table;
}

double leaky_softplus(double t) {
  return .2 * t + .8 * (t > 0 ? t + std::log1p(std::exp(-t)) : std::log1p(std::exp(t)));
}

}  // namespace

Table draw_moebius(int64_t n, int64_t dim, uint64_t seed) {
  check_sizes("moebius", n, dim);
  Random random(seed);
  const Matrix rotation = random_orthogonal(dim, random);
  Vector pole(dim);
  for (double& value : pole) do
      value = random.normal();
    while (std::fabs(value) <= .5);
  Vector observed, sources, mean(dim);
  for (int64_t row = 0; row < n; ++row) {
    Vector apart(dim);
    for (int64_t i = 0; i < dim; ++i) {
      sources.push_back(random.uniform(-.5, .5));
      apart[i] = sources.back() - pole[i];
    }
    const double square = dot(apart, apart);
    const Vector x = product(rotation, apart);
    for (int64_t i = 0; i < dim; ++i) {
      observed.push_back(x[i] / square);
      mean[i] += observed.back() / static_cast<double>(n);
    }
  }
  for (size_t i = 0; i < observed.size(); ++i) observed[i] -= mean[i % dim];
  return table_of(n, dim, observed, sources);
}

Table draw_mlp_mixing(int64_t n, int64_t dim, uint64_t seed) {
  check_sizes("mlp_mixing", n, dim);
  Random random(seed);
  std::vector<Matrix> layers;
  for (int layer = 0; layer < 3; ++layer) layers.push_back(random_orthogonal(dim, random));
  Vector observed, sources;
  for (int64_t row = 0; row < n; ++row) {
    Vector x(dim);
    for (double& value : x) value = random.normal();
    sources.insert(sources.end(), x.begin(), x.end());
    for (const Matrix& layer : layers) {
      for (double& value : x) value = leaky_softplus(value);
      x = product(layer, x);
    }
    observed.insert(observed.end(), x.begin(), x.end());
  }
  return table_of(n, dim, observed, sources);
}

}  // namespace data
