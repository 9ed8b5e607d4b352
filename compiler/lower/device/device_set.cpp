#include "compiler/lower/device/device_set.h"

#include <fmt/format.h>
#include <llvm/IR/LLVMContext.h>

#include "compiler/lower/device/emit_device_loop.h"
#include "compiler/lower/device/emit_device_runtime.h"
#include "compiler/lower/host.h"
#include "compiler/lower/loops/kernel_set.h"
#include "compiler/lower/objects/object.h"
#include "runtime/shared/content_hash.h"

namespace lower {

size_t DeviceSet::add(const Arrangement& arrangement) {
  const auto [entry, fresh] = by_key_.try_emplace(arrangement.device_key(), size());
  if (fresh) {
    const std::string name =
        kernel_symbol(arrangement.loop.name, fmt::format("{:016x}", content_hash(entry->first)));
    kernels_.push_back(describe_device_loop(arrangement, name));
    arrangements_.push_back(arrangement);
    keys_.push_back(entry->first);
    alone_.push_back(false);
  }
  return entry->second;
}

size_t DeviceSet::join(const std::vector<uint32_t>& kernels) {
  const auto [entry, fresh] = by_loops_.try_emplace(kernels, joined_.size());
  if (fresh) {
    std::string names;
    for (const uint32_t kernel : kernels) names += kernels_[kernel].name + "\n";
    JoinedKernel joined{"", kernels};
    joined = describe_joined_loops(loops_of(joined),
                                   kernel_symbol("joined", fmt::format("{:016x}", content_hash(names))));
    joined.loops = kernels;
    joined_.push_back(std::move(joined));
  }
  return entry->second;
}

std::vector<JoinedLoop> DeviceSet::loops_of(const JoinedKernel& kernel) const {
  std::vector<JoinedLoop> loops;
  for (const uint32_t loop : kernel.loops) loops.push_back({&arrangements_[loop], &kernels_[loop]});
  return loops;
}

std::string emulated_object(const DeviceSet& set) {
  llvm::LLVMContext context;
  llvm::Module module("device", context);
  target_host(module);
  emit_device_runtime(DeviceForm::host, module);
  for (size_t i = 0; i < set.size(); ++i)
    if (set.runs_alone(i))
      emit_device_loop(DeviceForm::host, module, set.arrangements()[i], set.kernels()[i]);
  for (const JoinedKernel& kernel : set.joined())
    emit_joined_loops(DeviceForm::host, module, set.loops_of(kernel), kernel);
  return make_object(module);
}

}  // namespace lower
