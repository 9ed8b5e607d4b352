// The parts of a bound that users know, without the weights that they have in the objective. In: the means of
// the terms in a line of the record. Out: elbo, reconstruction and kl, in nats per row; each row counts with
// the weight of its source.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/image.h"

namespace core {

struct BoundTerm {
  std::string name;   // player.variable@rows, kl.variable@rows, bound@rows, elbo@rows
  double mean = 0;    // mean of its rows, nats
  double weight = 0;  // weight of its rows: that of their source, times their share of the source's rows
};

/// {"elbo", "reconstruction", "kl"} if the terms contain them: elbo = reconstruction - kl, without beta,
/// free_bits and alpha. {"bound"} for the importance-weighted bound. Empty if no term belongs to a bound.
nlohmann::json bound_figures(const Image& image, const std::vector<BoundTerm>& terms);

}  // namespace core
