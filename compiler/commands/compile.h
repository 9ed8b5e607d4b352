// The commands of vaec that read a model's file: build, run, check and explain; and new, which writes one.
#pragma once
#include <string>
#include <vector>

#include "compiler/commands/learn_flags.h"
#include "runtime/shared/failure.h"

namespace vaec {

/// What the command line of vaec says.
struct Arguments {
  std::string file, output, bundle, emit, after, error_format = "text", explain_format = "text", name, to,
                                                 target = "cpu", shell, page;
  std::vector<std::string> files, defines, cpus = {"native"};
  bool check_only = false, timings = false;
  LearnFlags learn_flags;
};

/// Each returns the exit code, or throws Failure.
Exit build(const Arguments& arguments);
/// Compiles in memory. `passed_on`: the words that the program gets.
Exit run(Arguments arguments, std::vector<std::string> passed_on);
Exit check(const Arguments& arguments);
Exit explain(const Arguments& arguments);
Exit start(const Arguments& arguments);

}  // namespace vaec
