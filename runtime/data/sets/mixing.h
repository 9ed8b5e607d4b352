// Data sets of mixed independent sources (IMA: Reizinger et al. 2022). Columns: `x` [dim], the observed
// values, and `s` [dim], the sources that x is computed from. The mixing and row i of a seed do not depend on
// n, except for the mean that `moebius` subtracts. Failure(bad_configuration) if n or dim is not a possible
// number.
#pragma once
#include <cstdint>

#include "runtime/data/table.h"

namespace data {

/// s uniform on (-1/2, 1/2)^dim; x = A (s - a) / |s - a|^2, minus its mean over the rows. A is drawn
/// uniformly from the orthogonal matrices, and a_i ~ N(0, 1) with |a_i| > 1/2. The map is conformal: its
/// Jacobian has orthogonal columns.
Table draw_moebius(int64_t n, int64_t dim, uint64_t seed);

/// s ~ N(0, 1)^dim; x = A3 f(A2 f(A1 f(s))) with orthogonal matrices A and f(t) = 0.2 t + 0.8 softplus(t).
Table draw_mlp_mixing(int64_t n, int64_t dim, uint64_t seed);

}  // namespace data
