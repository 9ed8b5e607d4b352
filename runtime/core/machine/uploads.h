// Copies from the host's memory to a GPU's, through a ring of pinned memory. In: bytes that the caller may
// change after the call. The copies are enqueued; the host waits only if all of the ring is still being
// copied.
#pragma once
#include <array>
#include <cstddef>

#include "runtime/core/machine/cuda_driver.h"
#include "runtime/core/machine/nccl/gpu_wait.h"

namespace core {

class Uploads {
 public:
  /// `wait` must outlive it.
  Uploads(const cuda::Driver& driver, cuda::Stream stream, const GpuWait& wait);
  Uploads(const Uploads&) = delete;
  ~Uploads();

  void upload(cuda::Pointer to, const void* from, size_t bytes);

 private:
  static constexpr size_t pieces = 8, piece_bytes = size_t{1} << 20;
  struct Piece {
    void* memory = nullptr;
    cuda::Event copied = nullptr;  // none before the first use
  };

  const cuda::Driver& driver_;
  cuda::Stream stream_;
  const GpuWait& wait_;
  std::array<Piece, pieces> ring_;
  size_t next_ = 0;
};

}  // namespace core
