#include "compiler/tensor/passes.h"

#include <stdexcept>

#include "compiler/tensor/passes/choose_layouts.h"
#include "compiler/tensor/passes/differentiate.h"
#include "compiler/tensor/passes/fuse.h"
#include "compiler/tensor/passes/plan_memory.h"
#include "compiler/tensor/passes/simplify.h"

namespace tensor {

const std::vector<Pass> program_passes = {
    {"differentiate", differentiate},    // first: all other passes then see forward and backward as one
                                         // program
    {"simplify", simplify},              // shortens the adjoints and drops values that no gradient needs
    {"choose_layouts", choose_layouts},  // after simplify: fewer values to lay out
    {"cancel_layouts", simplify},        // cancels transpositions that now follow each other
};

Program run(const Pass& pass, Program program) {
  program = pass.run(std::move(program));
  if (const auto wrong = verify(program))
    throw std::logic_error(std::string("after ") + pass.name + ": " + *wrong);
  return program;
}

KernelProgram make_kernel_program(Program program, const Trace& trace) {
  if (const auto wrong = verify(program)) throw std::logic_error("as built: " + *wrong);
  if (trace) trace("build", program);
  for (const Pass& pass : program_passes) {
    program = run(pass, std::move(program));
    if (trace) trace(pass.name, program);
  }
  KernelProgram kernel_program = plan_memory(fuse(std::move(program)));
  if (const auto wrong = verify(kernel_program)) throw std::logic_error("after plan_memory: " + *wrong);
  return kernel_program;
}

}  // namespace tensor
