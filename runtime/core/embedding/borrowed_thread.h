// A call of a model's library borrows the caller's thread. In: how many threads compute. While this object
// lives, the thread has the runtime's settings: the number of OpenMP threads, and each of them treats
// denormal numbers as zero. Afterwards the thread has the caller's settings again.
#pragma once
#include <omp.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "runtime/core/execution/executor.h"

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
