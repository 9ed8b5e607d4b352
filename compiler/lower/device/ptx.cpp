#include "compiler/lower/device/ptx.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <stdexcept>
#include <vector>

#include "compiler/lower/device/device_functions.h"

namespace lower {
namespace {

constexpr const char* triple = "nvptx64-nvidia-cuda";

std::unique_ptr<llvm::TargetMachine> make_machine() {
  [[maybe_unused]] static const bool initialised = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (target == nullptr) throw std::runtime_error(error);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, "sm_70", "+ptx70", llvm::TargetOptions(), std::nullopt,
                                  std::nullopt, llvm::CodeGenOptLevel::Default));
}

/// One machine for all modules of a thread: setting it up costs as much as compiling a small kernel.
llvm::TargetMachine& machine() {
  static thread_local const std::unique_ptr<llvm::TargetMachine> own = make_machine();
  return *own;
}

/// The names of functions that the module calls but does not define.
std::vector<std::string> missing_functions(const llvm::Module& module) {
  std::vector<std::string> names;
  for (const llvm::Function& function : module) {
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty())
      names.push_back(function.getName().str());
  }
  return names;
}

/// Links into the module the runtime's functions that it calls, and the functions that these call.
void link_functions(llvm::Module& module) {
  if (missing_functions(module).empty()) return;
  llvm::Linker linker(module);
  for (const Bitcode& bitcode : device_functions()) {
    const llvm::StringRef bytes(bitcode.begin, static_cast<size_t>(bitcode.end - bitcode.begin));
    auto part = llvm::parseBitcodeFile({bytes, "functions"}, module.getContext());
    if (!part) throw std::logic_error(llvm::toString(part.takeError()));
    (*part)->setDataLayout(module.getDataLayout());
    // Denormal numbers become zero, as in kernels.
    for (llvm::Function& function : **part)
      if (!function.isDeclaration())
        function.addFnAttr("denormal-fp-math-f32", "preserve-sign,preserve-sign");
    linker.linkInModule(std::move(*part), llvm::Linker::LinkOnlyNeeded);
  }
  for (llvm::Function& function : module) {
    if (!function.isDeclaration() && function.getCallingConv() != llvm::CallingConv::PTX_Kernel)
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  if (const auto missing = missing_functions(module); !missing.empty())
    throw std::runtime_error("a kernel calls " + missing.front() +
                             ", which this vaec has not got for GPUs: it was built without clang++-19");
}

}  // namespace

void target_ptx(llvm::Module& module) {
  module.setTargetTriple(triple);
  module.setDataLayout(machine().createDataLayout());
}

std::string make_ptx(llvm::Module& module) {
#ifndef NDEBUG
  std::string wrong;
  llvm::raw_string_ostream report(wrong);
  if (llvm::verifyModule(module, &report)) throw std::logic_error("broken module: " + report.str());
#endif
  link_functions(module);
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  {
    // The assembly printer writes its last lines when the pass manager is destroyed.
    llvm::legacy::PassManager passes;
    if (machine().addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
      throw std::logic_error("NVPTX writes no assembly");
    passes.run(module);
  }
  return text.str().str();
}

std::string join_ptx(const std::vector<std::string>& texts) {
  // Each text begins with a head: version, target, size of addresses. Only the first head is kept.
  constexpr std::string_view last_of_head = "\n.address_size 64\n";
  std::string joined;
  for (const std::string& text : texts) {
    const size_t head = text.find(last_of_head);
    if (head == std::string::npos) throw std::logic_error("PTX without a head");
    joined += joined.empty() ? text : text.substr(head + last_of_head.size());
  }
  return joined;
}

}  // namespace lower
