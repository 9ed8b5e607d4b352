#include "compiler/lower/device/device_code.h"

#include <llvm/IR/LLVMContext.h>

#include <functional>

#include "compiler/lower/device/emit_device_loop.h"
#include "compiler/lower/device/emit_device_runtime.h"
#include "compiler/lower/device/ptx.h"
#include "compiler/lower/objects/pieces.h"

namespace lower {
namespace {

std::string compile(const std::function<void(llvm::Module&)>& emit) {
  llvm::LLVMContext context;
  llvm::Module module("device", context);
  target_ptx(module);
  emit(module);
  return make_ptx(module);
}

/// The pieces: one for the runtime's own kernels, one for each kernel that runs alone and calls no functions,
/// one for all kernels that call functions, and one for each joined kernel.
std::vector<Piece> pieces_of(const DeviceSet& set) {
  const auto key_of = [&](size_t i) { return set.kernels()[i].name + "\n" + set.keys()[i] + "\n"; };
  const auto emit = [&](llvm::Module& module, size_t i) {
    emit_device_loop(DeviceForm::ptx, module, set.arrangements()[i], set.kernels()[i]);
  };
  std::vector<Piece> pieces = {
      {"PTX of runtime kernels",
       [] { return compile([](llvm::Module& module) { emit_device_runtime(DeviceForm::ptx, module); }); }}};
  Piece calling{"PTX that calls\n", {}};
  std::vector<size_t> callers;
  for (size_t i = 0; i < set.size(); ++i) {
    if (!set.runs_alone(i)) continue;
    if (set.arrangements()[i].per_element_calls) {
      callers.push_back(i);
      calling.key += key_of(i);
    } else {
      pieces.push_back(
          {"PTX\n" + key_of(i), [=] { return compile([=](llvm::Module& module) { emit(module, i); }); }});
    }
  }
  calling.make = [=] {
    return compile([=](llvm::Module& module) {
      for (const size_t i : callers) emit(module, i);
    });
  };
  if (!callers.empty()) pieces.push_back(std::move(calling));
  for (const JoinedKernel& kernel : set.joined()) {
    std::string key = "PTX of joined loops\n" + kernel.name + "\n";
    for (const uint32_t loop : kernel.loops) key += key_of(loop);
    pieces.push_back({key, [&set, &kernel] {
                        return compile([&](llvm::Module& module) {
                          emit_joined_loops(DeviceForm::ptx, module, set.loops_of(kernel), kernel);
                        });
                      }});
  }
  return pieces;
}

}  // namespace

std::string make_device_code(const DeviceSet& set, base::Cache& cache) {
  return join_ptx(make_pieces(pieces_of(set), &cache).code);
}

}  // namespace lower
