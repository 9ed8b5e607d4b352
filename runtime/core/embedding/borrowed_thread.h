// A call of a model's library borrows the caller's thread. In: how many threads compute. While this lives,
// the thread's settings are those of the runtime: its number of OpenMP threads, and denormal numbers as zero
// on each of them. Afterwards they are the caller's again.
#pragma once
#include <omp.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "runtime/core/executor.h"

namespace core {

class BorrowedThread {
 public:
  BorrowedThread() : dynamic_(omp_get_dynamic()), threads_(omp_get_max_threads()) {}
  BorrowedThread(int threads, const vae_library* library) : BorrowedThread() {
    start_threads(threads, library);
  }
  BorrowedThread(const BorrowedThread&) = delete;
  BorrowedThread& operator=(const BorrowedThread&) = delete;
  ~BorrowedThread() {
#if defined(__SSE__)
#pragma omp parallel
    _mm_setcsr(control_);
#endif
    omp_set_num_threads(threads_);
    omp_set_dynamic(dynamic_);
  }

 private:
  int dynamic_, threads_;
#if defined(__SSE__)
  unsigned control_ = _mm_getcsr();
#endif
};

}  // namespace core
