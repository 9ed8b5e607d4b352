#include "compiler/lower/compile_kernels.h"

#include <fmt/format.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/InitializePasses.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "compiler/lower/build_identity.h"
#include "compiler/lower/emit_loop.h"
#include "compiler/lower/host.h"
#include "compiler/lower/object.h"
#include "compiler/lower/random_tile.h"

namespace lower {
namespace {

/// What is compiled by itself: a kernel, or a function that several kernels call.
struct Piece {
  std::string symbol, key;
  std::function<llvm::Function*(llvm::Module&)> emit;
};

void show(llvm::Function& function) {
  function.setLinkage(llvm::GlobalValue::ExternalLinkage);
  function.setVisibility(llvm::GlobalValue::HiddenVisibility);
}

std::string compile(const Piece& piece) {
  llvm::LLVMContext context;
  llvm::Module module("kernel", context);
  target_host(module);
  const llvm::Function* own = piece.emit(module);
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    if (&function != own) function.deleteBody();  // a piece of its own
    show(function);
  }
  return make_object(module);
}

std::vector<Piece> pieces_of(const KernelSet& set) {
  std::vector<Piece> pieces;
  std::set<semantics::Op> drawn;
  for (size_t i = 0; i < set.size(); ++i) {
    const Arrangement& arrangement = set.arrangements()[i];
    const std::string& symbol = set.symbols()[i];
    pieces.push_back({symbol, arrangement.key(),
                      [&](llvm::Module& module) { return emit_loop(module, arrangement, symbol); }});
    for (const tensor::Scalar& scalar : arrangement.loop.body)
      if (is_plain_draw(scalar)) drawn.insert(scalar.op);
  }
  for (const semantics::Op op : drawn)
    pieces.push_back({semantics::info(op).name, "filler",
                      [op](llvm::Module& module) { return tile_filler(module, host().lanes, op); }});
  return pieces;
}

/// work(0) .. work(count - 1), in any order, on as many threads as there are for it.
template <class Work>
void in_parallel(size_t count, const Work& work) {
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex failing;
  const auto take = [&] {
    try {
      for (size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      next = count;
      const std::lock_guard lock(failing);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<std::jthread> others;
  try {
    for (size_t i = 1; i < std::min<size_t>(count, std::thread::hardware_concurrency()); ++i)
      others.emplace_back(take);
  } catch (const std::system_error&) {
    // No thread to be had: fewer will do.
  }
  take();
  others.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

std::string code_origin() {
  const std::string own = build_identity(reinterpret_cast<const void*>(&code_origin));
  const std::string llvm = build_identity(reinterpret_cast<const void*>(&llvm::initializeCodeGen));
  if (own.empty() || llvm.empty()) return {};
  return fmt::format("vaec {}\nLLVM {} {}\n{} {} {} {}\n", own, LLVM_VERSION_STRING, llvm, host().triple,
                     host().cpu, host().tune, host().lanes);
}

CompiledKernels compile_kernels(const KernelSet& set, base::Memory* memory) {
  const std::string origin = memory ? code_origin() : "";
  if (origin.empty()) memory = nullptr;
  std::vector<Piece> pieces = pieces_of(set);
  for (Piece& piece : pieces) piece.key = fmt::format("{}{}\n{}\n", origin, piece.symbol, piece.key);
  CompiledKernels compiled;
  compiled.objects.resize(pieces.size());
  std::vector<size_t> missing;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (auto object = memory ? memory->recall(pieces[i].key) : std::nullopt) {
      compiled.objects[i] = std::move(*object);
    } else {
      missing.push_back(i);
    }
  }
  in_parallel(missing.size(), [&](size_t m) {
    const size_t i = missing[m];
    compiled.objects[i] = compile(pieces[i]);
    if (memory) memory->remember(pieces[i].key, compiled.objects[i]);
  });
  compiled.made = missing.size();
  return compiled;
}

}  // namespace lower
