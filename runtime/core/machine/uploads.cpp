#include "runtime/core/machine/uploads.h"

#include <algorithm>
#include <cstring>

namespace core {

#define CUDA(call, ...) driver_.check(driver_.call(__VA_ARGS__), #call)

Uploads::Uploads(const cuda::Driver& driver, cuda::Stream stream, const GpuWait& wait)
    : driver_(driver), stream_(stream), wait_(wait) {
  for (Piece& piece : ring_) CUDA(cuMemHostAlloc, &piece.memory, piece_bytes, 0);
}

Uploads::~Uploads() {
  for (Piece& piece : ring_) {
    if (piece.copied) driver_.cuEventSynchronize(piece.copied);
    if (piece.copied) driver_.cuEventDestroy_v2(piece.copied);
    driver_.cuMemFreeHost(piece.memory);
  }
}

void Uploads::upload(cuda::Pointer to, const void* from, size_t bytes) {
  const char* rest = static_cast<const char*>(from);
  while (bytes > 0) {
    Piece& piece = ring_[next_];
    next_ = (next_ + 1) % pieces;
    if (piece.copied)
      wait_.for_event(piece.copied);
    else
      CUDA(cuEventCreate, &piece.copied, cuda::event_without_time);
    const size_t now = std::min(bytes, piece_bytes);
    std::memcpy(piece.memory, rest, now);
    CUDA(cuMemcpyHtoDAsync_v2, to, piece.memory, now, stream_);
    CUDA(cuEventRecord, piece.copied, stream_);
    rest += now;
    to += now;
    bytes -= now;
  }
}

#undef CUDA

}  // namespace core
