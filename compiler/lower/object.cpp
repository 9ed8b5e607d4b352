#include "compiler/lower/object.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Object/ArchiveWriter.h>
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
  // It knows the processor's instructions after the first module, and serves one thread.
  static thread_local const auto machine = make_machine();
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

std::string make_archive(const std::vector<std::string>& objects) {
  std::vector<llvm::NewArchiveMember> members;
  for (const std::string& object : objects) members.emplace_back(llvm::MemoryBufferRef(object, "image.o"));
  auto archive = llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NormalSymtab,
                                            llvm::object::Archive::K_GNU, true, false);
  if (!archive) throw std::logic_error(llvm::toString(archive.takeError()));
  return (*archive)->getBuffer().str();
}

}  // namespace lower
