#include "compiler/lower/host.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

#include <map>
#include <stdexcept>

#include "compiler/lower/processor.h"

namespace lower {
namespace {

bool has_all(const llvm::StringMap<bool>& present, const std::vector<std::string>& wanted) {
  for (const std::string& name : wanted) {
    if (!present.lookup(name)) return false;
  }
  return true;
}

/// `base` with the settings of the level. The level `native` changes nothing.
Host of_level(Cpu level, const Host& base) {
  Host host = base;
  switch (level) {
    case Cpu::native:
      break;
    case Cpu::x86_64_v2:
      host.cpu = "x86-64-v2";
      host.lanes = 4;
      host.features = {"ssse3", "sse4_1", "sse4_2", "popcnt"};
      break;
    case Cpu::x86_64_v3:
      host.cpu = "x86-64-v3";
      host.lanes = 8;
      host.features = {"avx2", "bmi2", "fma"};
      break;
    case Cpu::x86_64_v4:
      host.cpu = "x86-64-v4";
      host.lanes = 16;
      host.features = {"avx2", "bmi2", "fma", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
      break;
  }
  return host;
}

/// The highest of the levels v4 and v3 that this processor supports; native if it supports neither.
Cpu own_level() {
  const llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  if (!has_all(present, {"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"})) return Cpu::native;
  const bool v4 = has_all(present, {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
  return v4 ? Cpu::x86_64_v4 : Cpu::x86_64_v3;
}

std::map<Cpu, Host> all_levels() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::InitializeNativeTargetAsmParser();
  const std::string own = llvm::sys::getHostCPUName().str();
  std::map<Cpu, Host> levels;
  levels[Cpu::native] = of_level(own_level(), {llvm::sys::getProcessTriple(), own, own, {}, 1});
  for (const Cpu level : {Cpu::x86_64_v4, Cpu::x86_64_v3, Cpu::x86_64_v2})
    levels[level] = of_level(level, {llvm::sys::getProcessTriple(), "", "generic", {}, 1});
  return levels;
}

}  // namespace

const Host& host() {
  static const std::map<Cpu, Host> levels = all_levels();
  return levels.at(chosen_cpu());
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
