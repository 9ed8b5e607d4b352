// The numbers of `evaluate` for tables: each has a name, its mean and spread over seeds, and a text.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace core {

/// A number that `evaluate` gave for one run.
struct Quantity {
  std::string name;
  double value;  // NaN if it was not finite: JSON has no infinities
};

/// What tables show in place of a number that is not finite.
inline constexpr const char* not_finite_text = "not finite";

/// The numbers of one result of `evaluate`, in the order in which they are shown.
std::vector<Quantity> quantities_of(const nlohmann::json& result);

struct Spread {
  double mean = 0, deviation = 0;  // deviation: of the sample; 0 for a single number
};

Spread spread_of(const std::vector<double>& numbers);

/// "12.35", or "12.35 +- 0.2" for several numbers; "-" if there are none.
std::string cell_text(const std::vector<double>* numbers);

/// Prints a table to stdout: the first column is aligned left, the others right. All rows have the same
/// length.
void print_aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace core
