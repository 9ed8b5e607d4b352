#include "compiler/lower/objects/pieces.h"

#include <fmt/format.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/InitializePasses.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "compiler/lower/host.h"
#include "compiler/lower/objects/build_identity.h"

namespace lower {
namespace {

/// Runs work(0) .. work(count - 1) in any order, on at most as many threads as the processor has.
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
    // The system gives no more threads: go on with fewer.
  }
  take();
  others.clear();
  if (failure) std::rethrow_exception(failure);
}

/// What code depends on besides the key of its piece. Empty if this vaec cannot tell itself from other
/// builds: then nothing may be cached.
std::string code_origin() {
  const std::string own = build_identity(reinterpret_cast<const void*>(&code_origin));
  const std::string llvm = build_identity(reinterpret_cast<const void*>(&llvm::initializeCodeGen));
  if (own.empty() || llvm.empty()) return {};
  return fmt::format("vaec {}\nLLVM {} {}\n{} {} {} {}\n", own, LLVM_VERSION_STRING, llvm, host().triple,
                     host().cpu, host().tune, host().lanes);
}

}  // namespace

MadePieces make_pieces(const std::vector<Piece>& pieces, base::Cache* cache) {
  const std::string origin = cache ? code_origin() : "";
  if (origin.empty()) cache = nullptr;
  MadePieces made;
  made.code.resize(pieces.size());
  std::vector<size_t> missing;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (auto code = cache ? cache->find(origin + pieces[i].key) : std::nullopt) {
      made.code[i] = std::move(*code);
    } else {
      missing.push_back(i);
    }
  }
  in_parallel(missing.size(), [&](size_t m) {
    const size_t i = missing[m];
    made.code[i] = pieces[i].make();
    if (cache) cache->keep(origin + pieces[i].key, made.code[i]);
  });
  made.anew = missing.size();
  return made;
}

}  // namespace lower
