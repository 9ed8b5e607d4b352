#include "compiler/lower/objects/jit.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>

#include <stdexcept>

#include "compiler/lower/host.h"

namespace lower {
namespace {

template <class Result>
Result checked(llvm::Expected<Result> result) {
  if (!result) throw std::logic_error(llvm::toString(result.takeError()));
  return std::move(*result);
}

}  // namespace

Jit::Jit(const std::vector<std::string>& objects) {
  host();  // also initialises LLVM's target
  jit_ = checked(llvm::orc::LLJITBuilder().create());
  for (const std::string& object : objects) {
    auto buffer = llvm::MemoryBuffer::getMemBufferCopy(object, "image");
    if (auto error = jit_->addObjectFile(std::move(buffer)))
      throw std::logic_error(llvm::toString(std::move(error)));
  }
  const char prefix = jit_->getDataLayout().getGlobalPrefix();
  jit_->getMainJITDylib().addGenerator(
      checked(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(prefix)));
}

Jit::~Jit() = default;

void* Jit::address(const std::string& name) { return checked(jit_->lookup(name)).toPtr<void*>(); }

}  // namespace lower
