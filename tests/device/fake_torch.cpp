// A libvaert_torch.so for the fake CUDA driver in this folder. GEMM and convolution are those of libvaert.so.
// They are enqueued on the fake GPU as host functions, so that a capture records them.
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "runtime/abi.h"

extern "C" int cuLaunchHostFunc(void* stream, void (*work)(void*), void* data);
extern "C" void fake_cuda_note(const char* call);

namespace {

bool benchmark = false;  // the option that was given; vaert_torch_version shows it

struct Call {
  vae_library_op* op;
  const float *a, *b;
  float* c;
};

const char* run(vae_library_op* op, const float* a, const float* b, float* c) {
  static std::deque<Call> kept;  // never deleted, because a graph may replay a call until the process ends
  cuLaunchHostFunc(
      nullptr,
      [](void* data) {
        const Call& call = *static_cast<Call*>(data);
        vaert_onednn()->run(call.op, call.a, call.b, call.c);
      },
      &kept.emplace_back(Call{op, a, b, c}));
  return nullptr;
}

}  // namespace

extern "C" {

const vae_library* vaert_torch(const vae_torch_options* options, char* error, size_t error_size) {
  static vae_library table = *vaert_onednn();
  table.name = "torch";
  table.run = run;
  benchmark = options->benchmark == 1;
  if (options->device >= 0) return &table;
  std::snprintf(error, error_size, "this is the fake GPU's");
  return nullptr;
}

int32_t vaert_torch_capture(int32_t begins) {
  fake_cuda_note(begins ? "begun pools" : "ended pools");
  return std::getenv("FAKE_TORCH_NO_POOLS") ? 0 : 1;
}

void* vaert_torch_stream(void) {
  static int stream = 0;
  return std::getenv("FAKE_TORCH_NO_STREAM") ? nullptr : &stream;
}
const char* vaert_torch_version(void) { return benchmark ? "fake, cudnn.benchmark" : "fake"; }

}  // extern "C"
