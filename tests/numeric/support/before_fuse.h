// Programs in the middle of the passes, for tests that compare them with kernel programs.
#pragma once
#include "compiler/tensor/passes.h"

namespace programs {

/// The program that fuse gets.
inline tensor::Program before_fuse(tensor::Program program) {
  tensor::AnyProgram made = std::move(program);
  for (const tensor::Pass& pass : tensor::passes) {
    if (pass.name == std::string("fuse")) break;
    made = tensor::run(pass, std::move(made));
  }
  return std::get<tensor::Program>(std::move(made));
}

}  // namespace programs
