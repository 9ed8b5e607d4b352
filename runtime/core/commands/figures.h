// The numbers of `evaluate` for tables: each with a name, mean and spread over seeds, and its text.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace core {

/// A number that `evaluate` gave of one run.
struct Quantity {
  std::string name;
  double value;
};

/// The numbers of one result of `evaluate`, in the order in which they are shown.
std::vector<Quantity> quantities_of(const nlohmann::json& result);

struct Spread {
  double mean = 0, deviation = 0;  // of the sample; 0 for one number
};

Spread spread_of(const std::vector<double>& numbers);

/// "12.35", or "12.35 +- 0.2" for several; "-" for none.
std::string cell_text(const std::vector<double>* numbers);

/// On stdout: the first column to the left, the others to the right. All rows have the length of the first.
void print_aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace core
