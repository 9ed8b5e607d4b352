// The processor that code is made for: a level of x86-64, the vector width, and LLVM's machine for it.
#pragma once
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>
#include <vector>

namespace lower {

struct Host {
  std::string triple;
  std::string cpu;                    // a level of x86-64, or LLVM's name of another
  std::string tune;                   // what to schedule for
  std::vector<std::string> features;  // that the code needs where it runs, as /proc/cpuinfo writes them
  unsigned lanes;                     // floats in a vector
};

/// Found once, LLVM initialised with it.
const Host& host();

std::unique_ptr<llvm::TargetMachine> make_machine();

/// Sets the module's triple and layout.
void target_host(llvm::Module& module);

/// What every function of ours has: the processor, the vector width, no unwinding.
void prepare_function(llvm::Function& function);

}  // namespace lower
