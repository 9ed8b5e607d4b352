// In: the flops of a call. Out: whether it is worth waking the pool; by the shape alone, so that results
// never depend on timing.
#pragma once
#include <omp.h>

namespace onednn {

/// Some 15 microseconds on one thread. A pool that waits spinning takes 1 microsecond to begin and to end,
/// one that has gone to sleep 45, and beside other busy processes milliseconds.
constexpr double flops_for_one_thread = 2e6;

/// While it lives, what begins on this thread stays there, if asked.
class Alone {
 public:
  explicit Alone(bool asked) : before_(omp_get_max_threads()) {
    if (asked) omp_set_num_threads(1);
  }
  ~Alone() { omp_set_num_threads(before_); }
  Alone(const Alone&) = delete;

 private:
  int before_;
};

}  // namespace onednn
