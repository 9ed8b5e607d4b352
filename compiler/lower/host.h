// The processor for which code is generated: a level of x86-64, the vector width, and LLVM's machine for it.
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
  std::string cpu;                    // a level of x86-64, or LLVM's name of a processor
  std::string tune;                   // the processor for which instructions are scheduled
  std::vector<std::string> features;  // what the code needs where it runs, spelled as in /proc/cpuinfo
  unsigned lanes;                     // floats in a vector
};

/// Found once; this also initialises LLVM for it.
const Host& host();

std::unique_ptr<llvm::TargetMachine> make_machine();

/// Sets the module's triple and layout.
void target_host(llvm::Module& module);

/// Gives a function the attributes that all our functions have: the processor, the vector width, no
/// unwinding.
void prepare_function(llvm::Function& function);

}  // namespace lower
