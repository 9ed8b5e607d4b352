// LibTorch's memory for work that is captured in a graph (graph_api.h). CMake also compiles this file to find
// out whether this LibTorch has private pools.
#include <ATen/core/ivalue.h>  // before all that keeps vectors of it: clang wants it complete

#include "runtime/torch/graph_api.h"
#include "runtime/torch/library_op.h"
#include "runtime/torch/torch_version.h"

extern "C" int32_t vaert_torch_capture(int32_t begins) {
  try {
    return allocate_in_pool(torch_backend::device_of_calls().index(), begins != 0) ? 1 : 0;
  } catch (...) {
    return 0;
  }
}
