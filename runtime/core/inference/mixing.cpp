#include "runtime/core/inference/mixing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace core {
namespace {

constexpr double most_r_hat = 1.05;
constexpr double least_draws_a_chain = 10;
constexpr double apart = 1.2;        // for one row: two chains of 50 draws hardly reach this by chance
constexpr double rows_apart = 0.01;  // share of all rows
constexpr double no_spread = 1e-10;  // relative to the squared mean; anything smaller is a rounding error

/// sqrt(var+ / W), var+ = (n - 1) / n W + B / n. `between` is B / n.
double r_hat(double within, double between, double n) {
  if (within == 0) return between == 0 ? 1 : std::numeric_limits<double>::infinity();
  return std::sqrt((n - 1) / n + between / within);
}

}  // namespace

bool Mixing::mixed(int64_t chains) const {
  return enough && r_hat <= most_r_hat && effective >= least_draws_a_chain * static_cast<double>(chains) &&
         static_cast<double>(apart) <= rows_apart * static_cast<double>(rows);
}

MixingMeter::MixingMeter(int64_t chains, int64_t draws)
    : chains_(chains), draws_(draws), half_(draws / 2), autocovariance_(static_cast<size_t>(half_)) {}

void MixingMeter::add(const std::vector<double>& numbers) {
  ++rows_;
  if (half_ < 2) return;
  const auto n = static_cast<double>(half_);
  // Splits each chain into halves. If the number of draws is odd, the first draw is left out.
  std::vector<const double*> parts;
  for (int64_t chain = 0; chain < chains_; ++chain) {
    const double* begin = numbers.data() + chain * draws_ + draws_ % 2;
    parts.push_back(begin);
    parts.push_back(begin + half_);
  }
  const auto m = static_cast<double>(parts.size());
  std::vector<double> means, variances;
  double grand = 0;
  for (const double* part : parts) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < half_; ++i) mean += part[i] / n;
    for (int64_t i = 0; i < half_; ++i) variance += (part[i] - mean) * (part[i] - mean) / (n - 1);
    means.push_back(mean);
    variances.push_back(variance);
    grand += mean / m;
  }
  double within = 0, between = 0;
  for (const double variance : variances) within += variance / m;
  for (const double mean : means) between += (mean - grand) * (mean - grand) / (m - 1);
  const double least = no_spread * std::max(1.0, grand * grand);
  if (within < least) within = 0;
  if (between < least) between = 0;
  within_ += within;
  between_ += between;
  apart_ += r_hat(within, between, n) > apart;
  if (within == 0) return;
  for (int64_t lag = 0; lag < half_; ++lag)
    for (size_t part = 0; part < parts.size(); ++part) {
      double sum = 0;
      for (int64_t i = 0; i + lag < half_; ++i)
        sum += (parts[part][i] - means[part]) * (parts[part][i + lag] - means[part]);
      autocovariance_[static_cast<size_t>(lag)] += sum / n / m;
    }
}

void MixingMeter::add(const MixingMeter& other) {
  rows_ += other.rows_;
  apart_ += other.apart_;
  within_ += other.within_;
  between_ += other.between_;
  for (size_t lag = 0; lag < autocovariance_.size(); ++lag)
    autocovariance_[lag] += other.autocovariance_[lag];
}

std::vector<double> MixingMeter::sums() const {
  std::vector<double> sums = {static_cast<double>(rows_), static_cast<double>(apart_), within_, between_};
  sums.insert(sums.end(), autocovariance_.begin(), autocovariance_.end());
  return sums;
}

void MixingMeter::set_sums(const double* sums) {
  rows_ = static_cast<int64_t>(sums[0]);
  apart_ = static_cast<int64_t>(sums[1]);
  within_ = sums[2];
  between_ = sums[3];
  std::copy_n(sums + 4, autocovariance_.size(), autocovariance_.begin());
}

Mixing MixingMeter::result() const {
  Mixing mixing;
  mixing.draws = chains_ * draws_;
  mixing.rows = rows_;
  mixing.apart = apart_;
  mixing.enough = half_ >= 2;
  const auto n = static_cast<double>(half_), all = 2 * n * static_cast<double>(chains_);
  mixing.effective = all;
  if (!mixing.enough || rows_ == 0) return mixing;
  const auto rows = static_cast<double>(rows_);
  const double within = within_ / rows, between = between_ / rows;
  mixing.r_hat = r_hat(within, between, n);
  const double spread = (n - 1) / n * within + between;  // var+
  if (spread == 0) return mixing;
  const auto correlation = [&](size_t lag) { return 1 - (within - autocovariance_[lag] / rows) / spread; };
  // Geyer's initial monotone sequence: sums of pairs are added as long as they are positive, and none may
  // exceed the one before it.
  double sum = 1 + correlation(1), time = -1 + 2 * sum;
  for (size_t lag = 2; lag + 1 < static_cast<size_t>(half_); lag += 2) {
    sum = std::min(sum, correlation(lag) + correlation(lag + 1));
    if (sum <= 0) break;
    time += 2 * sum;
  }
  mixing.effective = std::min(all / std::max(time, 1 / std::log10(all)), static_cast<double>(mixing.draws));
  return mixing;
}

}  // namespace core
