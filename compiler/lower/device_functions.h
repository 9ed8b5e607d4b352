// The runtime's functions of single elements (abi.h: vaert_lgamma, vaert_sample_gamma_log, ...) compiled for
// GPUs, and the C library's that they call, as LLVM bitcode. None where vaec was built without clang++ 19.
#pragma once
#include <vector>

namespace lower {

struct Bitcode {
  const char *begin, *end;
};

const std::vector<Bitcode>& device_functions();

}  // namespace lower
