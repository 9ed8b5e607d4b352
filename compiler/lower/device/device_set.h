// Which GPU kernels an image has: loops that also have equal shapes share one. In: arrangements. Out: how
// each kernel is launched. The name of a kernel is the same for equal loops in every image.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/lower/device/device_kernel.h"
#include "compiler/lower/loops/arrange.h"

namespace lower {

class DeviceSet {
 public:
  /// The index of the kernel that runs this loop. There is code for it if some launch runs it alone.
  size_t add(const Arrangement& arrangement);
  void run_alone(size_t kernel) { alone_[kernel] = true; }
  bool runs_alone(size_t kernel) const { return alone_[kernel]; }

  /// The index of the kernel that runs these kernels of the set side by side.
  size_t join(const std::vector<uint32_t>& kernels);

  size_t size() const { return kernels_.size(); }
  const std::vector<DeviceKernel>& kernels() const { return kernels_; }
  /// By kernel: the arrangement of the first loop that uses it.
  const std::vector<Arrangement>& arrangements() const { return arrangements_; }
  /// By kernel: the key that all its loops share.
  const std::vector<std::string>& keys() const { return keys_; }

  const std::vector<JoinedKernel>& joined() const { return joined_; }
  /// The loops of a joined kernel. They refer to this set.
  std::vector<JoinedLoop> loops_of(const JoinedKernel& kernel) const;

 private:
  std::map<std::string, size_t> by_key_;
  std::vector<DeviceKernel> kernels_;
  std::vector<Arrangement> arrangements_;
  std::vector<std::string> keys_;
  std::vector<bool> alone_;
  std::map<std::vector<uint32_t>, size_t> by_loops_;
  std::vector<JoinedKernel> joined_;
};

/// An object for the processor: the kernels in the host form (grid.h) and the runtime's own kernels.
std::string emulated_object(const DeviceSet& set);

}  // namespace lower
