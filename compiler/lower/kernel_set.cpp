#include "compiler/lower/kernel_set.h"

#include <fmt/format.h>
#include <llvm/IR/Constants.h>

#include <cctype>

#include "compiler/lower/emit_loop.h"
#include "compiler/lower/host.h"

namespace lower {

std::string kernel_symbol(int index, const std::string& name) {
  std::string text = fmt::format("kernel_{}_", index);
  for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return text;
}

KernelSet::KernelSet()
    : context_(std::make_unique<llvm::LLVMContext>()),
      module_(std::make_unique<llvm::Module>("image", *context_)) {
  target_host(*module_);
}

int KernelSet::add(const Arrangement& arrangement) {
  const auto [entry, fresh] = by_key_.try_emplace(arrangement.key(), static_cast<int>(kernels_.size()));
  if (fresh) {
    kernels_.push_back(emit_loop(*module_, arrangement, kernel_symbol(entry->second, arrangement.loop.name)));
    arrangements_.push_back(arrangement);
  }
  return entry->second;
}

llvm::GlobalVariable* KernelSet::export_table(const std::string& name) {
  auto* type = llvm::ArrayType::get(llvm::PointerType::get(*context_, 0), kernels_.size());
  const std::vector<llvm::Constant*> entries(kernels_.begin(), kernels_.end());
  return new llvm::GlobalVariable(*module_, type, true, llvm::GlobalValue::ExternalLinkage,
                                  llvm::ConstantArray::get(type, entries), name);
}

}  // namespace lower
