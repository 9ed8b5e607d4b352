// Sets of mixed independent sources (IMA: Reizinger et al. 2022): columns `x` [dim], what is observed, and
// `s` [dim], the sources that it is made of. The mixing and row i of a seed do not depend on n, except the
// mean that `moebius` takes off. Failure(bad_configuration) where n or dim is no sensible number.
#pragma once
#include <cstdint>

#include "runtime/data/table.h"

namespace data {

/// s uniform on (-1/2, 1/2)^dim; x = A (s - a) / |s - a|^2 less its mean over the rows; A drawn uniformly
/// from the orthogonal matrices, a_i ~ N(0, 1) with |a_i| > 1/2: a conformal map, whose Jacobian has
/// orthogonal columns.
Table draw_moebius(int64_t n, int64_t dim, uint64_t seed);

/// s ~ N(0, 1)^dim; x = A3 f(A2 f(A1 f(s))), the A orthogonal, f(t) = 0.2 t + 0.8 softplus(t).
Table draw_mlp_mixing(int64_t n, int64_t dim, uint64_t seed);

}  // namespace data
