#include "compiler/lower/loops/kernel_set.h"

#include <fmt/format.h>

#include <cctype>

#include "compiler/lower/loops/emit_loop.h"
#include "runtime/shared/content_hash.h"

namespace lower {

std::string kernel_symbol(const std::string& name, const std::string& distinction) {
  std::string text = "kernel_";
  for (const char c : name) text += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return text + "_" + distinction;
}

int KernelSet::add(const Arrangement& arrangement) {
  const auto [entry, fresh] = by_key_.try_emplace(arrangement.key(), static_cast<int>(size()));
  if (fresh) {
    arrangements_.push_back(arrangement);
    symbols_.push_back(
        kernel_symbol(arrangement.loop.name, fmt::format("{:016x}", content_hash(entry->first))));
  }
  return entry->second;
}

std::vector<llvm::Function*> emit_all(const KernelSet& set, llvm::Module& module) {
  std::vector<llvm::Function*> functions;
  for (size_t i = 0; i < set.size(); ++i)
    functions.push_back(emit_loop(module, set.arrangements()[i], set.symbols()[i]));
  return functions;
}

}  // namespace lower
