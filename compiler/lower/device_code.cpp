#include "compiler/lower/device_code.h"

#include "compiler/lower/compile_kernels.h"
#include "compiler/lower/device_set.h"
#include "compiler/lower/ptx.h"

namespace lower {
namespace {

DeviceCode compile(const KernelSet& kernels) {
  DeviceSet set(DeviceForm::ptx);
  DeviceCode code{nlohmann::json::array(), {}};
  for (const Arrangement& arrangement : kernels.arrangements()) {
    const DeviceKernel& kernel = set.add(arrangement, arrangement.loop.name);
    code.kernels.push_back({{"name", kernel.name},
                            {"mapping", name_of(kernel.mapping)},
                            {"threads", kernel.threads},
                            {"sums", kernel.sums}});
  }
  code.ptx = make_ptx(set.module());
  return code;
}

}  // namespace

DeviceCode make_device_code(const KernelSet& set, base::Memory& memory) {
  std::string key = code_origin();
  if (key.empty()) return compile(set);
  key += "PTX\n";
  for (size_t i = 0; i < set.size(); ++i) key += set.symbols()[i] + "\n" + set.arrangements()[i].key() + "\n";
  if (const auto known = memory.recall(key)) {
    const size_t line = known->find('\n');
    return {nlohmann::json::parse(known->substr(0, line)), known->substr(line + 1)};
  }
  DeviceCode code = compile(set);
  memory.remember(key, code.kernels.dump() + "\n" + code.ptx);
  return code;
}

}  // namespace lower
