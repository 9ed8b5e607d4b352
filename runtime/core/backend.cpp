#include "runtime/core/backend.h"

#include <fmt/format.h>

#include <cstdlib>

#include "runtime/data/optional_library.h"
#include "runtime/failure.h"

namespace core {
namespace {

constexpr const char* torch_library = "libvaert_torch.so";
bool torch_is_open = false;

/// OpenBLAS, where LibTorch brings it along, reads this once, when it is loaded: Debian's does not know
/// recent processors, and falls back to code that is four times slower.
void name_the_processor() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0);
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    setenv("OPENBLAS_CORETYPE", "HASWELL", 0);
#endif
}

template <class Function>
Function* torch_function(const char* name) {
  return reinterpret_cast<Function*>(data::function_of(torch_library, name));
}

}  // namespace

int gpu_of(const std::string& device) {
  if (device.rfind("cuda", 0) != 0) return -1;
  return device.size() > 5 ? std::stoi(device.substr(5)) : 0;
}

const std::vector<std::string>& backend_names() {
  static const std::vector<std::string> names = {"onednn", "torch"};
  return names;
}

const vae_heavy* open_torch(int device, int precision) {
  const char* flag = device < 0 ? "--backend torch" : "--device cuda";
  if (!torch_is_open) name_the_processor();
  decltype(&vaert_torch) open = nullptr;
  try {
    open = torch_function<decltype(vaert_torch)>("vaert_torch");
  } catch (const Failure& failure) {
    throw Failure(failure.exit_code, fmt::format("{}: {}", flag, failure.what()));
  }
  torch_is_open = true;
  const vae_torch_options options = {device, precision};
  char error[256] = "";
  const vae_heavy* heavy = open(&options, error, sizeof error);
  if (!heavy) throw Failure(Exit::bad_configuration, fmt::format("{}: {}", flag, error));
  return heavy;
}

void* torch_stream() { return torch_function<decltype(vaert_torch_stream)>("vaert_torch_stream")(); }

std::string torch_version() {
  return torch_is_open ? torch_function<decltype(vaert_torch_version)>("vaert_torch_version")() : "";
}

const vae_heavy* open_backend(const MachineRequest& request) {
  return request.backend == "torch" ? open_torch(-1, VAE_FP32) : vaert_onednn();
}

}  // namespace core
