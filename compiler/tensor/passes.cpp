#include "compiler/tensor/passes.h"

#include <stdexcept>

#include "compiler/tensor/launches/join_launches.h"
#include "compiler/tensor/passes/canonicalise_loops.h"
#include "compiler/tensor/passes/choose_layouts.h"
#include "compiler/tensor/passes/differentiate.h"
#include "compiler/tensor/passes/fuse.h"
#include "compiler/tensor/passes/plan_memory.h"
#include "compiler/tensor/passes/simplify.h"

namespace tensor {

const std::vector<Pass> passes = {
    {"differentiate", differentiate},    // first: all other passes then see forward and backward as one
                                         // program
    {"simplify", simplify},              // shortens the adjoints and drops values that no gradient needs
    {"choose_layouts", choose_layouts},  // after simplify: fewer values to lay out
    {"cancel_layouts", simplify},        // cancels transpositions that now follow each other
    {"fuse", fuse},                      // when nothing more can be simplified: loops hide what they compute
    {"plan_memory", plan_memory},        // needs the instructions in their final order
    {"canonicalise_loops", canonicalise_loops},  // last: plan_memory compares loops with their buffers' axes
};

const std::vector<Pass> gpu_passes = {{"join_launches", join_launches}};

namespace {

void require_correct(const AnyProgram& program, const std::string& place) {
  const auto wrong = std::visit([](const auto& form) { return verify(form); }, program);
  if (wrong) throw std::logic_error(place + ": " + *wrong);
}

struct Runner {
  AnyProgram& program;

  template <class To, class From>
  AnyProgram operator()(To (*run)(From)) const {
    return run(std::get<From>(std::move(program)));
  }
};

}  // namespace

AnyProgram run(const Pass& pass, AnyProgram program) {
  AnyProgram made = std::visit(Runner{program}, pass.run);
  require_correct(made, std::string("after ") + pass.name);
  return made;
}

KernelProgram make_kernel_program(Program program, const Trace& trace, bool for_gpu) {
  AnyProgram made = std::move(program);
  require_correct(made, "as built");
  if (trace) trace("build", made);
  const auto run_all = [&](const std::vector<Pass>& list) {
    for (const Pass& pass : list) {
      made = run(pass, std::move(made));
      if (trace) trace(pass.name, made);
    }
  };
  run_all(passes);
  if (for_gpu) run_all(gpu_passes);
  return std::get<KernelProgram>(std::move(made));
}

std::string print(const AnyProgram& program) {
  return std::visit([](const auto& form) { return print(form); }, program);
}

}  // namespace tensor
