// Sums over several finite variables of a product of factors, one variable at a time. In: which variables
// each factor depends on. Out: the order, and how many terms the largest sum has.
#pragma once
#include <cstdint>
#include <set>
#include <vector>

namespace game {

struct Elimination {
  std::vector<int> order;
  int64_t most = 1;  // elements of the largest table that is made; saturates
};

/// `lengths`: values of each variable. Greedy: next comes the variable whose sum makes the smallest table.
Elimination eliminate(std::vector<std::set<int>> factors, std::set<int> dropped,
                      const std::vector<int64_t>& lengths);

/// Elements of a table over these variables; saturates.
int64_t table_size(const std::set<int>& variables, const std::vector<int64_t>& lengths);

}  // namespace game
