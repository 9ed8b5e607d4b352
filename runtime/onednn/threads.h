// In: the flops of a call. Out: whether it is worth using several threads. Depends only on the shape, so
// results never depend on timing.
#pragma once
#include <omp.h>

namespace onednn {

/// About 15 microseconds on one thread. To start and end a pool of threads takes 1 microsecond if they wait
/// in a loop, 45 if they sleep, and milliseconds if other processes keep the processors busy.
constexpr double flops_for_one_thread = 2e6;

/// While an object of this class lives, and if `asked`, work that this thread starts uses one thread.
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
