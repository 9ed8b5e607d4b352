#include "compiler/lower/objects/compile_kernels.h"

#include <fmt/format.h>
#include <llvm/IR/LLVMContext.h>

#include <functional>
#include <set>

#include "compiler/lower/host.h"
#include "compiler/lower/loops/emit_loop.h"
#include "compiler/lower/loops/random_tile.h"
#include "compiler/lower/objects/object.h"

namespace lower {
namespace {

using Emit = std::function<llvm::Function*(llvm::Module&)>;

void show(llvm::Function& function) {
  function.setLinkage(llvm::GlobalValue::ExternalLinkage);
  function.setVisibility(llvm::GlobalValue::HiddenVisibility);
}

std::string compile(const Emit& emit) {
  llvm::LLVMContext context;
  llvm::Module module("kernel", context);
  target_host(module);
  const llvm::Function* own = emit(module);
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    if (&function != own) function.deleteBody();  // another piece has its code
    show(function);
  }
  return make_object(module);
}

}  // namespace

MadePieces compile_kernels(const KernelSet& set, base::Cache* cache) {
  std::vector<Piece> pieces;
  const auto add = [&](const std::string& symbol, const std::string& key, const Emit& emit) {
    pieces.push_back({fmt::format("{}\n{}\n", symbol, key), [emit] { return compile(emit); }});
  };
  std::set<semantics::Op> drawn;
  for (size_t i = 0; i < set.size(); ++i) {
    const Arrangement& arrangement = set.arrangements()[i];
    const std::string& symbol = set.symbols()[i];
    add(symbol, arrangement.key(),
        [&](llvm::Module& module) { return emit_loop(module, arrangement, symbol); });
    for (const tensor::Scalar& scalar : arrangement.loop.body)
      if (is_plain_draw(scalar)) drawn.insert(scalar.op);
  }
  for (const semantics::Op op : drawn)
    add(semantics::info(op).name, "filler",
        [op](llvm::Module& module) { return tile_filler(module, host().lanes, op); });
  return make_pieces(pieces, cache);
}

}  // namespace lower
