#include "runtime/core/machine/nccl/communicator.h"

#include <chrono>
#include <cstring>
#include <exception>
#include <future>
#include <utility>

#include "runtime/shared/failure.h"

namespace core::nccl {
using std::chrono::steady_clock;

Communicator::Communicator(const Group& group, cuda::Stream stream, const std::function<void()>& enter)
    : library_(Library::get()), stream_(stream), exceptions_(std::uncaught_exceptions()) {
  UniqueId id{};
  group.id.copy(id.bytes, sizeof id.bytes);
  // NCCL waits for all ranks in this call. A thread of its own makes it, so that this one sees if a rank
  // dies.
  std::future<int> made = std::async(std::launch::async, [&] {
    enter();
    return library_.ncclCommInitRank(&comm_, group.size, id, group.rank);
  });
  constexpr std::chrono::milliseconds between_looks(100);
  const auto begun = steady_clock::now();
  while (made.wait_for(between_looks) != std::future_status::ready)
    group.look(std::chrono::duration<double>(steady_clock::now() - begun).count(), "");
  if (const std::string error = library_.error(made.get(), "ncclCommInitRank"); !error.empty())
    throw Failure(Exit::bad_configuration, error);
}

Communicator::~Communicator() {
  // After a failure, the other ranks may not come to the end that ncclCommDestroy waits for.
  if (std::uncaught_exceptions() > exceptions_) abort();
  if (comm_) library_.ncclCommDestroy(comm_);
}

void Communicator::sum(float* values, int64_t count) {
  const int result =
      library_.ncclAllReduce(values, values, static_cast<size_t>(count), float32, nccl::sum, comm_, stream_);
  if (const std::string error = library_.error(result, "ncclAllReduce"); !error.empty())
    throw Failure(Exit::lost_rank, error);
}

std::string Communicator::error() const {
  int found = success;
  if (!comm_ || library_.ncclCommGetAsyncError(comm_, &found) != success || found == in_progress) return "";
  return library_.error(found, "a sum over the ranks");
}

void Communicator::abort() {
  if (const Comm comm = std::exchange(comm_, nullptr)) library_.ncclCommAbort(comm);
}

}  // namespace core::nccl
