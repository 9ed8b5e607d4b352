#include "runtime/core/machine/nccl/gpu_wait.h"

#include <chrono>
#include <thread>

namespace core {
namespace {

using std::chrono::steady_clock;

// Up to this time the host asks without a pause, so that a short step is not made longer by the wait.
constexpr std::chrono::microseconds impatient(500), between_queries(50);
constexpr std::chrono::milliseconds between_looks(100);

}  // namespace

void GpuWait::poll(const std::function<int()>& query, const char* call) const {
  const auto begun = steady_clock::now();
  auto next_look = begun + between_looks;
  for (;;) {
    const int result = query();
    if (result != cuda::not_ready) return driver_.check(result, call);
    const auto now = steady_clock::now();
    if (now - begun > impatient) std::this_thread::sleep_for(between_queries);
    if (now < next_look) continue;
    next_look = now + between_looks;
    look_(std::chrono::duration<double>(now - begun).count());
  }
}

void GpuWait::for_stream(cuda::Stream stream) const {
  if (!look_) return driver_.check(driver_.cuStreamSynchronize(stream), "cuStreamSynchronize");
  poll([&] { return driver_.cuStreamQuery(stream); }, "cuStreamQuery");
}

void GpuWait::for_event(cuda::Event event) const {
  if (!look_) return driver_.check(driver_.cuEventSynchronize(event), "cuEventSynchronize");
  poll([&] { return driver_.cuEventQuery(event); }, "cuEventQuery");
}

}  // namespace core
