// From a built program to its kernel program: the list of passes, in their order and with the reasons for it.
#pragma once
#include <functional>
#include <variant>
#include <vector>

#include "compiler/tensor/kernel_program.h"
#include "compiler/tensor/program.h"

namespace tensor {

/// A program between two passes. fuse makes the kernel program.
using AnyProgram = std::variant<Program, KernelProgram>;

struct Pass {
  const char* name;
  std::variant<Program (*)(Program), KernelProgram (*)(Program), KernelProgram (*)(KernelProgram)> run;
};
extern const std::vector<Pass> passes;
/// The passes that follow them if the program also runs on a GPU.
extern const std::vector<Pass> gpu_passes;

/// Called with the name and the result of each pass, for --emit=tensor --after=NAME. The first call has the
/// name "build" and the program as it was built.
using Trace = std::function<void(const char* pass, const AnyProgram& program)>;

/// Runs one pass; throws std::logic_error if its result does not verify.
AnyProgram run(const Pass& pass, AnyProgram program);
/// Runs all passes.
KernelProgram make_kernel_program(Program program, const Trace& trace = {}, bool for_gpu = false);

std::string print(const KernelProgram& kernel_program);
std::string print(const AnyProgram& program);
/// What is wrong with a kernel program; empty if nothing is. Errors are an access outside its buffer, a
/// buffer or scalar that is read before it is made, and a draw in a loop with a reduction.
std::optional<std::string> verify(const KernelProgram& kernel_program);

}  // namespace tensor
