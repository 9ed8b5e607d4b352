// What a bound is made of, as users know it, whatever weighs its parts in the objective. In: the means of
// the terms of a record's line. Out: elbo, reconstruction and kl, nats per row; each row counts with the
// weight of its source.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/image.h"

namespace core {

struct BoundTerm {
  std::string name;   // player.variable@rows, kl.variable@rows, bound@rows, elbo@rows
  double mean = 0;    // of its rows, nats
  double weight = 0;  // of its rows: their source's, times their share of its rows
};

/// {"elbo", "reconstruction", "kl"} where the terms hold them: elbo = reconstruction - kl, without beta,
/// free_bits and alpha; {"bound"}: the importance-weighted one. Empty where no term is of a bound.
nlohmann::json bound_figures(const Image& image, const std::vector<BoundTerm>& terms);

}  // namespace core
