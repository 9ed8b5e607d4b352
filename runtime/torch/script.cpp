#include <ATen/core/ivalue.h>  // before all that keeps vectors of it: clang wants it complete
#include <c10/core/InferenceMode.h>
#include <c10/util/strides.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <memory>
#include <stdexcept>

#include "runtime/torch/library_op.h"
#include "runtime/torch/message.h"
#include "runtime/torch/script_api.h"

struct vaert_script {
  torch::jit::Module module;
  at::Tensor result;  // result of the last call
};

extern "C" vaert_script* vaert_torch_script_open(const char* path, int threads, char* error,
                                                 size_t error_size) {
  try {
    torch_backend::set_threads(threads);
    auto script = std::make_unique<vaert_script>();
    script->module = torch::jit::load(path, c10::Device(c10::DeviceType::CPU));
    script->module.eval();
    if (!script->module.find_method("forward")) throw std::invalid_argument("it has no method forward");
    return script.release();
  } catch (const std::exception& failure) {
    torch_backend::report(failure, error, error_size);
    return nullptr;
  }
}

extern "C" const float* vaert_torch_script_run(vaert_script* script, const float* rows, const int64_t* sizes,
                                               size_t rank, int64_t* width, char* error, size_t error_size) {
  const c10::InferenceMode nothing_is_recorded;
  try {
    const c10::IntArrayRef shape(sizes, rank);
    const at::Tensor batch = torch_backend::Place().view(rows, shape, c10::contiguous_strides(shape));
    const c10::IValue value = script->module.forward({batch});
    if (!value.isTensor()) throw std::invalid_argument("forward gives no tensor");
    const at::Tensor found = value.toTensor();
    if (found.dim() < 1 || found.size(0) != shape[0] || found.numel() == 0)
      throw std::invalid_argument("forward gives a tensor without a row for each of the batch");
    script->result = found.reshape({shape[0], -1}).to(at::kFloat).contiguous();
    *width = script->result.size(1);
    return script->result.data_ptr<float>();
  } catch (const std::exception& failure) {
    torch_backend::report(failure, error, error_size);
    return nullptr;
  }
}

extern "C" void vaert_torch_script_close(vaert_script* script) { delete script; }
