#include "compiler/game/elimination.h"

#include <limits>
#include <optional>

namespace game {

int64_t table_size(const std::set<int>& variables, const std::vector<int64_t>& lengths) {
  int64_t size = 1;
  for (const int variable : variables)
    if (__builtin_mul_overflow(size, lengths.at(static_cast<size_t>(variable)), &size))
      return std::numeric_limits<int64_t>::max();
  return size;
}

Elimination eliminate(std::vector<std::set<int>> factors, std::set<int> dropped,
                      const std::vector<int64_t>& lengths) {
  Elimination result;
  const auto joined = [&](int variable) {
    std::set<int> all = {variable};
    for (const auto& factor : factors)
      if (factor.contains(variable)) all.insert(factor.begin(), factor.end());
    return all;
  };
  while (!dropped.empty()) {
    std::optional<int> next;
    for (const int variable : dropped)
      if (!next || table_size(joined(variable), lengths) < table_size(joined(*next), lengths))
        next = variable;
    std::set<int> table = joined(*next);
    result.most = std::max(result.most, table_size(table, lengths));
    std::erase_if(factors, [&](const auto& factor) { return factor.contains(*next); });
    table.erase(*next);
    factors.push_back(std::move(table));
    result.order.push_back(*next);
    dropped.erase(*next);
  }
  std::set<int> rest;
  for (const auto& factor : factors) rest.insert(factor.begin(), factor.end());
  result.most = std::max(result.most, table_size(rest, lengths));
  return result;
}

}  // namespace game
