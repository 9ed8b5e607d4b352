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
  }
  return entry->second;
}

std::string emulated_object(const DeviceSet& set) {
  llvm::LLVMContext context;
  llvm::Module module("device", context);
  target_host(module);
  emit_device_runtime(DeviceForm::host, module);
  for (size_t i = 0; i < set.size(); ++i)
    emit_device_loop(DeviceForm::host, module, set.arrangements()[i], set.kernels()[i]);
  return make_object(module);
}

}  // namespace lower
