// The table of library operations that the rest of the runtime uses: a plain C interface, which exceptions do
// not leave.
#include <omp.h>

#include <cstdio>
#include <exception>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>

#include "runtime/onednn/bf16.h"
#include "runtime/onednn/library_op.h"
#include "runtime/onednn/threads.h"
#include "runtime/out_of_memory.h"

namespace {

template <class Shape>
vae_library_op* prepare(onednn::Op (*make)(const Shape&, vae_precision), const Shape* shape,
                        vae_precision precision, char* error, size_t error_size) {
  try {
    return make(*shape, precision).release();
  } catch (const std::exception& failure) {
    const auto* of_library = dynamic_cast<const dnnl::error*>(&failure);
    const bool no_memory = dynamic_cast<const std::bad_alloc*>(&failure) ||
                           (of_library && of_library->status == dnnl_out_of_memory);
    if (error && error_size)
      std::snprintf(error, error_size, "%s", no_memory ? out_of_memory : failure.what());
    return nullptr;
  }
}

template <vae_precision precision>
const vae_library table = {
    .name = "onednn",
    .set_threads = [](int threads) { omp_set_num_threads(threads); },
    .prepare_gemm = [](const vae_gemm* shape, char* error,
                       size_t size) { return prepare(onednn::make_gemm, shape, precision, error, size); },
    .prepare_convolution =
        [](const vae_convolution* shape, char* error, size_t size) {
          return prepare(onednn::make_convolution, shape, precision, error, size);
        },
    .run = [](vae_library_op* op, const float* a, const float* b, float* c) -> const char* {
      const onednn::Alone while_it_runs(op->alone);
      op->run(a, b, c);
      return nullptr;
    },
    .describe = [](const vae_library_op* op) { return op->description.c_str(); },
    .flops = [](const vae_library_op* op) { return op->flops; },
    .release = [](vae_library_op* op) { delete op; },
};

}  // namespace

extern "C" const vae_library* vaert_onednn(void) { return &table<VAE_FP32>; }

extern "C" const vae_library* vaert_onednn_bf16(void) {
  return onednn::multiplies_bf16() ? &table<VAE_BF16> : nullptr;
}
