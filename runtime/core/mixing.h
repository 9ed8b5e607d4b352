// Has a chain mixed? In: for each row the numbers that several chains took, one per sweep. Out: split R-hat
// and the effective sample size (Vehtari, Gelman, Simpson, Carpenter, Buerkner 2021, equations 1 to 4 and 10
// to 13, without ranks), from variances and autocovariances averaged over the rows, each a chain of its own.
#pragma once
#include <cstdint>
#include <vector>

namespace core {

struct Mixing {
  double r_hat = 1;      // infinite where chains stand still at different places
  double effective = 0;  // of `draws`
  int64_t draws = 0;     // per row, over all chains
  int64_t rows = 0;
  int64_t apart = 0;   // rows whose own R-hat exceeds 1.2
  bool enough = true;  // draws to tell at all: four to a chain

  /// R-hat at most 1.05, at least ten effective draws a chain, at most one row in a hundred apart.
  bool mixed(int64_t chains) const;
};

class MixingMeter {
 public:
  /// `draws` kept of each of `chains`.
  MixingMeter(int64_t chains, int64_t draws);
  /// A row: chains * draws numbers, chain by chain.
  void add(const std::vector<double>& numbers);
  Mixing result() const;

 private:
  int64_t chains_, draws_, half_;
  int64_t rows_ = 0, apart_ = 0;
  double within_ = 0, between_ = 0;     // sums over rows of W and B / n
  std::vector<double> autocovariance_;  // per lag: the sum over rows of the mean over split chains
};

}  // namespace core
