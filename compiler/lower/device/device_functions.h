// The runtime's functions of single elements (abi.h: vaert_lgamma, vaert_sample_gamma_log, ...) and the
// functions of the C library that they call. They are compiled for GPUs, as LLVM bitcode. None if vaec was
// built without clang++ 19.
#pragma once
#include <vector>

namespace lower {

struct Bitcode {
  const char *begin, *end;
};

const std::vector<Bitcode>& device_functions();

}  // namespace lower
