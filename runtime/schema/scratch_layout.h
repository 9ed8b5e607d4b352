// Places the scratch buffers of a program in one piece of memory. The compiler gives the live range of each
// buffer, the executor the sizes, which depend on the number of rows.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <tuple>
#include <vector>

/// A live range: the first and the last instruction of a program that use a buffer, both included.
struct Life {
  int first = -1, last = -1;
  bool operator==(const Life&) const = default;
  static auto tied(auto& self) { return std::tie(self.first, self.last); }
};

struct ScratchLayout {
  std::vector<int64_t> starts;
  int64_t total = 0;
};

namespace scratch {

inline bool meet(const Life& a, const Life& b) { return a.first <= b.last && b.first <= a.last; }

/// Places the slots in the given order, each at the start of the smallest gap that it fits into between the
/// placed slots whose live ranges overlap its own. If it fits into none, it goes behind all of them.
inline ScratchLayout fill(const std::vector<Life>& lives, const std::vector<int64_t>& sizes,
                          const std::vector<size_t>& order) {
  ScratchLayout layout{std::vector<int64_t>(lives.size()), 0};
  std::vector<size_t> placed;  // sorted by start
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

/// Places each slot so that slots whose live ranges overlap do not share memory. The result is near the
/// minimum, not always equal to it: two orders are tried, by size and by first use, and the better one is
/// kept. Smaller sizes can give a larger total, because their order may differ.
inline ScratchLayout lay_out(const std::vector<Life>& lives, const std::vector<int64_t>& sizes) {
  std::vector<size_t> order(lives.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::less{}, [&](size_t s) { return lives[s].first; });
  const ScratchLayout by_birth = scratch::fill(lives, sizes, order);
  std::ranges::stable_sort(order, std::greater{}, [&](size_t s) { return sizes[s]; });
  const ScratchLayout by_size = scratch::fill(lives, sizes, order);
  return by_size.total <= by_birth.total ? by_size : by_birth;
}
