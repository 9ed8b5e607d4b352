#include "compiler/lower/object.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <stdexcept>

#include "compiler/lower/host.h"

namespace lower {
namespace {

std::string generate(llvm::Module& module, llvm::CodeGenFileType kind) {
#ifndef NDEBUG
  std::string wrong;
  llvm::raw_string_ostream report(wrong);
  if (llvm::verifyModule(module, &report)) throw std::logic_error("broken module: " + report.str());
#endif
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  const auto machine = make_machine();
  if (machine->addPassesToEmitFile(passes, stream, nullptr, kind)) {
    throw std::logic_error("this target writes no such file");
  }
  passes.run(module);
  return bytes.str().str();
}

}  // namespace

std::string print_llvm(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return stream.str();
}

std::string make_assembly(llvm::Module& module) {
  return generate(module, llvm::CodeGenFileType::AssemblyFile);
}

std::string make_object(llvm::Module& module) { return generate(module, llvm::CodeGenFileType::ObjectFile); }

}  // namespace lower
