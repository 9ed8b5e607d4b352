// Whether Markov chains have converged. In: for each row, the numbers that several chains took, one per
// sweep. Out: split R-hat and the effective sample size (Vehtari, Gelman, Simpson, Carpenter, Buerkner 2021,
// equations 1 to 4 and 10 to 13, without ranks). Variances and autocovariances are averaged over the rows,
// because each row has chains of its own.
#pragma once
#include <cstdint>
#include <vector>

namespace core {

struct Mixing {
  double r_hat = 1;      // infinite if the chains stand still at different places
  double effective = 0;  // effective number of the `draws`
  int64_t draws = 0;     // per row, over all chains
  int64_t rows = 0;
  int64_t apart = 0;   // rows whose own R-hat exceeds 1.2
  bool enough = true;  // whether there are enough draws to judge: four per chain

  /// Whether R-hat is at most 1.05, each chain has at least ten effective draws on average, and at most one
  /// row in a hundred is apart.
  bool mixed(int64_t chains) const;
};

class MixingMeter {
 public:
  /// `draws`: how many draws are kept of each of the `chains`.
  MixingMeter(int64_t chains, int64_t draws);
  /// Adds a row: chains * draws numbers, one chain after the other.
  void add(const std::vector<double>& numbers);
  /// Adds the rows of another meter of equally many chains and draws.
  void add(const MixingMeter& other);
  Mixing result() const;

  /// All sums, as numbers, and the other way round.
  std::vector<double> sums() const;
  void set_sums(const double* sums);

 private:
  int64_t chains_, draws_, half_;
  int64_t rows_ = 0, apart_ = 0;
  double within_ = 0, between_ = 0;     // sums over rows of W and B / n
  std::vector<double> autocovariance_;  // per lag: the sum over rows of the mean over split chains
};

}  // namespace core
