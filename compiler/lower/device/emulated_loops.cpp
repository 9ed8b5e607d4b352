#include "compiler/lower/device/emulated_loops.h"

#include "compiler/lower/device/device_set.h"
#include "compiler/lower/objects/jit.h"

namespace lower {

struct EmulatedLoops::Parts {
  std::vector<Arrangement> arrangements;
  std::vector<DeviceKernel> kernels;
  std::vector<JoinedKernel> joined;
  std::unique_ptr<Jit> jit;
};

EmulatedLoops::EmulatedLoops(const std::vector<tensor::Loop>& loops, bool joined)
    : parts_(std::make_unique<Parts>()) {
  DeviceSet set;
  std::vector<uint32_t> numbers;
  for (const tensor::Loop& loop : loops) {
    parts_->arrangements.push_back(arrange(loop));
    numbers.push_back(static_cast<uint32_t>(set.add(parts_->arrangements.back())));
    set.run_alone(numbers.back());
    parts_->kernels.push_back(set.kernels()[numbers.back()]);
  }
  if (joined) set.join(numbers);
  parts_->joined = set.joined();
  parts_->jit = std::make_unique<Jit>(std::vector<std::string>{emulated_object(set)});
}

EmulatedLoops::~EmulatedLoops() = default;

const Arrangement& EmulatedLoops::arrangement(size_t loop) const { return parts_->arrangements.at(loop); }

const DeviceKernel& EmulatedLoops::kernel(size_t loop) const { return parts_->kernels.at(loop); }

EmulatedLoops::Code EmulatedLoops::code(size_t loop) const {
  return reinterpret_cast<Code>(parts_->jit->address(kernel(loop).name));
}

EmulatedLoops::Code EmulatedLoops::joined_code() const {
  return reinterpret_cast<Code>(parts_->jit->address(joined_kernel().name));
}

const JoinedKernel& EmulatedLoops::joined_kernel() const { return parts_->joined.at(0); }

}  // namespace lower
