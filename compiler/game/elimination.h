// Computes the sum over several finite variables of a product of factors, one variable at a time. In: which
// variables each factor depends on. Out: the order of the variables, and how many terms the largest table
// has.
#pragma once
#include <cstdint>
#include <set>
#include <vector>

namespace game {

struct Elimination {
  std::vector<int> order;
  int64_t most = 1;  // elements of the largest table that is computed; saturates
};

/// `lengths`: the number of values of each variable. The search is greedy: next comes the variable whose sum
/// needs the smallest table.
Elimination eliminate(std::vector<std::set<int>> factors, std::set<int> dropped,
                      const std::vector<int64_t>& lengths);

/// The number of elements of a table over these variables; saturates.
int64_t table_size(const std::set<int>& variables, const std::vector<int64_t>& lengths);

}  // namespace game
