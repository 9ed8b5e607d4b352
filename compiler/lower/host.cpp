#include "compiler/lower/host.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

#include <stdexcept>

namespace lower {
namespace {

bool has_all(const llvm::StringMap<bool>& present, const std::vector<std::string>& wanted) {
  for (const std::string& name : wanted) {
    if (!present.lookup(name)) return false;
  }
  return true;
}

Host detect() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::InitializeNativeTargetAsmParser();
  const llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  const std::vector<std::string> v3 = {"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"};
  const std::vector<std::string> v4 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
  Host host{llvm::sys::getProcessTriple(),
            llvm::sys::getHostCPUName().str(),
            llvm::sys::getHostCPUName().str(),
            {},
            1};
  if (has_all(present, v3) && has_all(present, v4)) {
    host.cpu = "x86-64-v4";
    host.lanes = 16;
    host.features = {"avx2", "bmi2", "fma", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
  } else if (has_all(present, v3)) {
    host.cpu = "x86-64-v3";
    host.lanes = 8;
    host.features = {"avx2", "bmi2", "fma"};
  }
  return host;
}

}  // namespace

const Host& host() {
  static const Host found = detect();
  return found;
}

std::unique_ptr<llvm::TargetMachine> make_machine() {
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(host().triple, error);
  if (target == nullptr) throw std::runtime_error(error);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(host().triple, host().cpu, "", llvm::TargetOptions(), llvm::Reloc::PIC_,
                                  std::nullopt, llvm::CodeGenOptLevel::Default));
}

void target_host(llvm::Module& module) {
  static const std::string layout = make_machine()->createDataLayout().getStringRepresentation();
  module.setTargetTriple(host().triple);
  module.setDataLayout(layout);
}

void prepare_function(llvm::Function& function) {
  function.addFnAttr(llvm::Attribute::NoUnwind);
  function.addFnAttr("target-cpu", host().cpu);
  function.addFnAttr("tune-cpu", host().tune);
  if (host().lanes == 16) function.addFnAttr("prefer-vector-width", "512");
}

}  // namespace lower
