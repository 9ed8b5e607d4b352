// The GPUs of the ranks as one group of NCCL. In: a stream of this rank's GPU. Out: sums over all ranks,
// which are enqueued like all other work and can be recorded.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "runtime/core/machine/nccl/nccl.h"

namespace core::nccl {

/// Who belongs to the group.
struct Group {
  int rank = 0, size = 1;
  std::string id;  // of make_id(), the same on all ranks
  /// Called again and again while this rank waits for others. `seconds`: how long it has waited; `error`:
  /// what NCCL reports, or empty. It does not return if another rank is lost.
  std::function<void(double seconds, const std::string& error)> look;
};

class Communicator {
 public:
  /// Waits for all ranks. `enter`: makes the GPU that of the calling thread. Failure(bad_configuration) if
  /// NCCL cannot connect the GPUs.
  Communicator(const Group& group, cuda::Stream stream, const std::function<void()>& enter);
  Communicator(const Communicator&) = delete;
  /// All graphs that have recorded a sum must be destroyed before: NCCL waits for them.
  ~Communicator();

  /// Enqueues: `values` become their sums over all ranks, with the same bits on all of them.
  void sum(float* values, int64_t count);
  /// What has failed since the group was made; empty: nothing.
  std::string error() const;
  /// Ends all sums that still wait for other ranks. The group is then of no use.
  void abort();

 private:
  const Library& library_;
  cuda::Stream stream_;
  Comm comm_ = nullptr;
  int exceptions_;  // uncaught when the group was made
};

}  // namespace core::nccl
