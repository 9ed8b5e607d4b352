#include "runtime/core/learning/reduction/device_reduction.h"

#include <algorithm>

#include "runtime/core/machine/device.h"
#include "runtime/core/ranks/ranks.h"

namespace core {

DeviceReduction::DeviceReduction(Ranks& ranks, Device& device) : Reduction(ranks), device_(device) {
  nccl::Group group;
  group.rank = ranks.rank();
  group.size = ranks.size();
  group.id = ranks.gather(ranks.is_first() ? nccl::make_id() : "").front();
  group.look = [&ranks](double seconds, const std::string& error) { ranks.look_for_losses(seconds, error); };
  device_.join(group);
  ranks.set_last_work([&device] { device.leave_ranks(); });
}

DeviceReduction::~DeviceReduction() { ranks_.set_last_work({}); }

void DeviceReduction::sum(float* values, int64_t count) { device_.sum_ranks(values, count); }

void DeviceReduction::end_step() {
  device_.keep_close();
  stop_is_agreed_ = false;
  if (--steps_left_ == 0) agree_on_stop();
}

/// All ranks get the same sums, so they find the same interval.
void DeviceReduction::agree_on_stop() {
  constexpr double wanted = 0.25;  // seconds between two agreements
  constexpr int64_t most = 1000;   // steps
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  const std::vector<double> sums = ranks_.sum({stop_asked_() ? 1.0 : 0.0, seconds});
  stop_is_agreed_ = sums[0] > 0;
  const double of_step = sums[1] / static_cast<double>(ranks_.size() * interval_);
  const auto fitting = static_cast<int64_t>(std::min(static_cast<double>(most), wanted / of_step));
  interval_ = std::clamp<int64_t>(fitting, 1, 2 * interval_);
  steps_left_ = interval_;
  begun_ = std::chrono::steady_clock::now();
}

}  // namespace core
