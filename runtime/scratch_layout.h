// Where the scratch buffers of a program lie in one piece of memory. The compiler says how long each lives,
// the executor how many rows there are.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <tuple>
#include <vector>

/// Instructions of a program, both included.
struct Life {
  int first = -1, last = -1;
  bool operator==(const Life&) const = default;
};

struct ScratchLayout {
  std::vector<int64_t> starts;
  int64_t total = 0;
};

namespace scratch {

inline bool meet(const Life& a, const Life& b) { return a.first <= b.last && b.first <= a.last; }

/// One after the other, each into the smallest gap that those before leave it.
inline ScratchLayout fill(const std::vector<Life>& lives, const std::vector<int64_t>& sizes,
                          const std::vector<size_t>& order) {
  ScratchLayout layout{std::vector<int64_t>(lives.size()), 0};
  std::vector<size_t> placed;  // by start
  for (const size_t slot : order) {
    int64_t end = 0, best = -1, smallest = 0;
    for (const size_t other : placed) {
      if (!meet(lives[slot], lives[other])) continue;
      const int64_t gap = layout.starts[other] - end;
      if (gap >= sizes[slot] && (best < 0 || gap < smallest)) best = end, smallest = gap;
      end = std::max(end, layout.starts[other] + sizes[other]);
    }
    const int64_t start = best < 0 ? end : best;
    layout.starts[slot] = start;
    layout.total = std::max(layout.total, start + sizes[slot]);
    placed.insert(std::ranges::upper_bound(placed, start, {}, [&](size_t s) { return layout.starts[s]; }),
                  slot);
  }
  return layout;
}

}  // namespace scratch

/// Slots of `sizes` whose lives meet share nothing; the others may. Close to the least memory, not always it:
/// the better of two orders, by size and by birth. Smaller sizes may come to more: their order is another.
inline ScratchLayout lay_out(const std::vector<Life>& lives, const std::vector<int64_t>& sizes) {
  std::vector<size_t> order(lives.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::less{}, [&](size_t s) { return lives[s].first; });
  const ScratchLayout by_birth = scratch::fill(lives, sizes, order);
  std::ranges::stable_sort(order, std::greater{}, [&](size_t s) { return sizes[s]; });
  const ScratchLayout by_size = scratch::fill(lives, sizes, order);
  return by_size.total <= by_birth.total ? by_size : by_birth;
}
