#include "compiler/lower/device_set.h"

#include "compiler/lower/emit_device_tools.h"
#include "compiler/lower/host.h"
#include "compiler/lower/kernel_set.h"
#include "compiler/lower/ptx.h"

namespace lower {

DeviceSet::DeviceSet(DeviceForm form)
    : form_(form),
      context_(std::make_unique<llvm::LLVMContext>()),
      module_(std::make_unique<llvm::Module>("device", *context_)) {
  if (form == DeviceForm::ptx) {
    target_ptx(*module_);
  } else {
    target_host(*module_);
  }
  emit_device_tools(form, *module_);
}

DeviceSet::~DeviceSet() = default;

const DeviceKernel& DeviceSet::add(const Arrangement& arrangement, const std::string& name) {
  const auto [entry, fresh] = by_key_.try_emplace(arrangement.key_without_units());
  if (fresh)
    entry->second = emit_device_loop(form_, *module_, arrangement,
                                     kernel_symbol(name, std::to_string(by_key_.size() - 1)));
  return entry->second;
}

}  // namespace lower
