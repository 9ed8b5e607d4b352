// How the host waits for a GPU. Alone, it leaves that to the driver. With other ranks it asks the driver
// again and again, because a sum that waits for a lost rank never ends, and looks meanwhile whether all ranks
// live.
#pragma once
#include <functional>

#include "runtime/core/machine/cuda_driver.h"

namespace core {

class GpuWait {
 public:
  explicit GpuWait(const cuda::Driver& driver) : driver_(driver) {}

  /// From now on, `look` is called ten times a second while the host waits. `seconds`: how long it has
  /// waited.
  void set_look(std::function<void(double seconds)> look) { look_ = std::move(look); }
  /// Waits for all work that was enqueued on the stream.
  void for_stream(cuda::Stream stream) const;
  /// Waits for the work before the event.
  void for_event(cuda::Event event) const;

 private:
  void poll(const std::function<int()>& query, const char* call) const;

  const cuda::Driver& driver_;
  std::function<void(double seconds)> look_;
};

}  // namespace core
