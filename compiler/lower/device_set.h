// Which GPU kernels an image has: equal loops share one. In: arrangements. Out: how each kernel is launched,
// under names that are the same for equal loops in whatever image.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/lower/arrange.h"
#include "compiler/lower/device_kernel.h"

namespace lower {

class DeviceSet {
 public:
  /// The kernel that does this loop.
  DeviceKernel add(const Arrangement& arrangement);

  size_t size() const { return kernels_.size(); }
  const std::vector<DeviceKernel>& kernels() const { return kernels_; }
  /// Per kernel: the first loop that it was made for.
  const std::vector<Arrangement>& arrangements() const { return arrangements_; }
  /// Per kernel: that of all loops that it does.
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  std::map<std::string, size_t> by_key_;
  std::vector<DeviceKernel> kernels_;
  std::vector<Arrangement> arrangements_;
  std::vector<std::string> keys_;
};

/// An object for the processor: the kernels in grid.h's host form, and the runtime's own.
std::string emulated_object(const DeviceSet& set);

}  // namespace lower
