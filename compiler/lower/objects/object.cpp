#include "compiler/lower/objects/object.h"

#include <llvm/ADT/SmallString.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Support/raw_ostream.h>

#include <stdexcept>

#include "compiler/lower/host.h"

namespace lower {
namespace {

void verify([[maybe_unused]] const llvm::Module& module) {
#ifndef NDEBUG
  std::string wrong;
  llvm::raw_string_ostream report(wrong);
  if (llvm::verifyModule(module, &report)) throw std::logic_error("broken module: " + report.str());
#endif
}

/// A machine and its passes, used for many modules one after the other: setting them up costs as much as
/// compiling a small kernel.
class Generator {
 public:
  explicit Generator(llvm::CodeGenFileType kind) {
    if (machine_->addPassesToEmitFile(passes_, stream_, nullptr, kind))
      throw std::logic_error("this target writes no such file");
  }

  std::string operator()(llvm::Module& module) {
    verify(module);
    passes_.run(module);
    std::string code = bytes_.str().str();
    bytes_.clear();
    return code;
  }

 private:
  std::unique_ptr<llvm::TargetMachine> machine_ = make_machine();
  llvm::SmallString<0> bytes_;
  llvm::raw_svector_ostream stream_{bytes_};
  llvm::legacy::PassManager passes_;
};

}  // namespace

std::string print_llvm(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return stream.str();
}

std::string make_assembly(llvm::Module& module) {
  return Generator(llvm::CodeGenFileType::AssemblyFile)(module);
}

std::string make_object(llvm::Module& module) {
  static thread_local Generator generate(llvm::CodeGenFileType::ObjectFile);
  return generate(module);
}

std::string make_archive(const std::vector<std::string>& objects) {
  std::vector<llvm::NewArchiveMember> members;
  for (const std::string& object : objects) members.emplace_back(llvm::MemoryBufferRef(object, "image.o"));
  auto archive = llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NormalSymtab,
                                            llvm::object::Archive::K_GNU, true, false);
  if (!archive) throw std::logic_error(llvm::toString(archive.takeError()));
  return (*archive)->getBuffer().str();
}

}  // namespace lower
