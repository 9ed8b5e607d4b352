#include "compiler/lower/device/emulated_loops.h"

#include "compiler/lower/device/device_set.h"
#include "compiler/lower/objects/jit.h"

namespace lower {

struct EmulatedLoops::Parts {
  std::vector<Arrangement> arrangements;
  std::vector<DeviceKernel> kernels;
  std::unique_ptr<Jit> jit;
};

EmulatedLoops::EmulatedLoops(const std::vector<tensor::Loop>& loops) : parts_(std::make_unique<Parts>()) {
  DeviceSet set;
  for (const tensor::Loop& loop : loops) {
    parts_->arrangements.push_back(arrange(loop));
    parts_->kernels.push_back(set.kernels()[set.add(parts_->arrangements.back())]);
  }
  parts_->jit = std::make_unique<Jit>(std::vector<std::string>{emulated_object(set)});
}

EmulatedLoops::~EmulatedLoops() = default;

const Arrangement& EmulatedLoops::arrangement(size_t loop) const { return parts_->arrangements.at(loop); }

const DeviceKernel& EmulatedLoops::kernel(size_t loop) const { return parts_->kernels.at(loop); }

EmulatedLoops::Code EmulatedLoops::code(size_t loop) const {
  return reinterpret_cast<Code>(parts_->jit->address(kernel(loop).name));
}

}  // namespace lower
