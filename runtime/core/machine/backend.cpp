#include "runtime/core/machine/backend.h"

#include <fmt/format.h>

#include <cstdlib>

#include "runtime/data/optional_library.h"
#include "runtime/shared/failure.h"
#include "runtime/torch/graph_api.h"

namespace core {
namespace {

bool torch_is_open = false;

/// Tells OpenBLAS which processor this is. LibTorch may contain OpenBLAS, which reads the variable once, when
/// it is loaded. Debian's OpenBLAS does not know recent processors; it then falls back to code that is four
/// times slower.
void name_the_processor() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0);
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    setenv("OPENBLAS_CORETYPE", "HASWELL", 0);
#endif
}

}  // namespace

bool is_device(const std::string& name) {
  const bool numbered = name.rfind("cuda:", 0) == 0 && name.size() > 5 && name.size() <= 8 &&
                        name.find_first_not_of("0123456789", 5) == std::string::npos;
  return name == "auto" || name == "cpu" || name == "cuda" || numbered;
}

int gpu_of(const std::string& device) {
  if (device.rfind("cuda", 0) != 0) return -1;
  return device.size() > 5 ? std::stoi(device.substr(5)) : 0;
}

const std::vector<std::string>& backend_names() {
  static const std::vector<std::string> names = {"onednn", "torch"};
  return names;
}

void* torch_function(const std::string& asks, const char* name) {
  if (!torch_is_open) name_the_processor();
  try {
    void* found = data::function_of("libvaert_torch.so", name, data::Lookup::own_first);
    torch_is_open = true;
    return found;
  } catch (const Failure& failure) {
    throw Failure(failure.exit_code, fmt::format("{}: {}", asks, failure.what()));
  }
}

const vae_library* open_torch(const vae_torch_options& options) {
  const char* flag = options.device < 0 ? "--backend torch" : "--device cuda";
  const auto open = reinterpret_cast<decltype(&vaert_torch)>(torch_function(flag, "vaert_torch"));
  char error[256] = "";
  const vae_library* library = open(&options, error, sizeof error);
  if (!library) throw Failure(Exit::bad_configuration, fmt::format("{}: {}", flag, error));
  return library;
}

void* torch_stream() {
  return reinterpret_cast<decltype(&vaert_torch_stream)>(torch_function("", "vaert_torch_stream"))();
}

bool torch_captures(bool begins) {
  return reinterpret_cast<decltype(&vaert_torch_capture)>(torch_function("", "vaert_torch_capture"))(
             begins) != 0;
}

std::string torch_version() {
  if (!torch_is_open) return "";
  return reinterpret_cast<decltype(&vaert_torch_version)>(torch_function("", "vaert_torch_version"))();
}

const vae_library* open_backend(const MachineRequest& request) {
  return request.backend == "torch" ? open_torch({-1, VAE_FP32, 0}) : vaert_onednn();
}

const vae_library* open_training_backend(const MachineRequest& request) {
  if (request.cudnn_benchmark)
    throw Failure(Exit::bad_configuration,
                  "--cudnn-benchmark works only on a CUDA device: leave it out on the CPU");
  if (request.precision == VAE_FP32) return open_backend(request);
  if (request.precision == VAE_TF32)
    throw Failure(Exit::bad_configuration,
                  "precision tf32 works only on a CUDA device: on the CPU use --precision fp32 or bf16");
  if (request.backend == "torch")
    throw Failure(Exit::bad_configuration,
                  "--backend torch: on the CPU it computes in fp32 alone: use --precision fp32");
  const vae_library* library = vaert_onednn_bf16();
  if (!library)
    throw Failure(Exit::bad_configuration,
                  "precision bf16: this processor has no instructions for it (AVX512_BF16 or AMX), or "
                  "DNNL_MAX_CPU_ISA forbids them: use --precision fp32");
  return library;
}

}  // namespace core
