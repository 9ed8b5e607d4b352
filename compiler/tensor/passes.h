// From a built program to its kernel program: the list of passes, in their order and with the reasons for it.
#pragma once
#include <functional>
#include <vector>

#include "compiler/tensor/kernel_program.h"
#include "compiler/tensor/program.h"

namespace tensor {

struct Pass {
  const char* name;
  Program (*run)(Program);
};
/// The passes before fuse and plan_memory, which make the kernel program.
extern const std::vector<Pass> program_passes;

/// Called with the name and the result of each pass, for --emit=tensor --after=NAME.
using Trace = std::function<void(const char* pass, const Program& program)>;

/// Runs one pass; throws std::logic_error if its result does not verify.
Program run(const Pass& pass, Program program);
/// Runs all passes, then fuse and plan_memory.
KernelProgram make_kernel_program(Program program, const Trace& trace = {});

std::string print(const KernelProgram& kernel_program);
/// What is wrong with a kernel program; empty if nothing is. Errors are an access outside its buffer, a
/// buffer or scalar that is read before it is made, and a draw in a loop with a reduction.
std::optional<std::string> verify(const KernelProgram& kernel_program);

}  // namespace tensor
