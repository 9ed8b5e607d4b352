// The functions of libvaert_torch.so that abi.h declares: a plain C interface. Exceptions in prepare_* do not
// leave it.
#include <ATen/core/ivalue.h>  // before all that keeps vectors of it: clang wants it complete

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "runtime/torch/library_op.h"
#include "runtime/torch/message.h"
#include "runtime/torch/torch_version.h"

// LibTorch's BLAS may have threads of its own, which at::set_num_threads does not change.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

// After each convolution that LibTorch times, it gives free memory back to the driver. Graphs that were
// captured before may still use that memory, so this must be switched off. Old versions of LibTorch have no
// such switch.
namespace at::native {
void _cudnn_set_conv_benchmark_empty_cache(bool enable) __attribute__((weak));  // NOLINT: its name
}

namespace torch_backend {
namespace {

/// Where the operations run that are prepared from now on.
Place place_of_calls;

c10::impl::VirtualGuardImpl cuda() { return c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA); }

template <class Stream>
void* native_handle_of(const Stream& stream) {
  if constexpr (HasNativeHandle<Stream>)
    return stream.native_handle();
  else
    return nullptr;
}

void choose_device(const vae_torch_options& options) {
  Place place;
  place.bf16 = options.precision == VAE_BF16;
  place.tf32 = options.precision == VAE_TF32;
  place.benchmark = options.benchmark != 0;
  if (options.precision < VAE_FP32 || options.precision > VAE_BF16)
    throw std::invalid_argument("no such precision");
  if (options.device < 0) {
    if (options.precision == VAE_TF32) throw std::invalid_argument("TF32 works only on a CUDA device");
    if (!onednn_convolves) at::globalContext().setUserEnabledMkldnn(false);
  } else {
    if (!at::hasCUDA())
      throw std::invalid_argument("LibTorch " TORCH_VERSION " here finds no CUDA device that it can use");
    if (options.device >= cuda().deviceCount())
      throw std::invalid_argument("there is no CUDA device " + std::to_string(options.device));
    if (!HasNativeHandle<c10::Stream>)
      throw std::invalid_argument("LibTorch " TORCH_VERSION " is too old for CUDA here: 2.11 is needed");
    place.device = c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(options.device));
    at::Context& context = at::globalContext();
    context.setAllowTF32CuBLAS(place.tf32);
    context.setAllowTF32CuDNN(place.tf32);
    forbid_sums_in_bf16(context);
    // If algorithms are chosen by timing, the last bits of a result differ from run to run.
    context.setBenchmarkCuDNN(place.benchmark);
    context.setDeterministicCuDNN(!place.benchmark);
    if (at::native::_cudnn_set_conv_benchmark_empty_cache)
      at::native::_cudnn_set_conv_benchmark_empty_cache(false);
    cuda().setDevice(place.device);
    // A graph cannot be captured on the default stream.
    cuda().exchangeStream(cuda().getStreamFromGlobalPool(place.device));
    // LibTorch initializes its memory with the first tensor that it allocates. Products on foreign memory
    // need that too.
    at::empty({1}, c10::TensorOptions(place.device));
  }
  place_of_calls = place;
}

template <class Shape>
vae_library_op* prepare(Op (*make)(const Shape&, const Place&), const Shape* shape, char* error,
                        size_t error_size) {
  try {
    return make(*shape, place_of_calls).release();
  } catch (const std::exception& failure) {
    report(failure, error, error_size);
    return nullptr;
  }
}

const char* run(vae_library_op* op, const float* a, const float* b, float* c) {
  thread_local std::array<char, 256> error;
  try {
    const c10::InferenceMode nothing_is_recorded;
    op->run(a, b, c);
    return nullptr;
  } catch (const std::exception& failure) {
    const std::string cause = is_out_of_memory(failure) ? "" : op->description + ": ";
    std::snprintf(error.data(), error.size(), "%s%s", cause.c_str(), first_line(failure).c_str());
  } catch (...) {
    std::snprintf(error.data(), error.size(), "%s: no reason is given", op->description.c_str());
  }
  return error.data();
}

const vae_library table = {
    .name = "torch",
    .set_threads = set_threads,
    .prepare_gemm = [](const vae_gemm* shape, char* error,
                       size_t size) { return prepare(make_gemm, shape, error, size); },
    .prepare_convolution = [](const vae_convolution* shape, char* error,
                              size_t size) { return prepare(make_convolution, shape, error, size); },
    .run = run,
    .describe = [](const vae_library_op* op) { return op->description.c_str(); },
    .flops = [](const vae_library_op* op) { return op->flops; },
    .release = [](vae_library_op* op) { delete op; },
};

}  // namespace

c10::Device device_of_calls() { return place_of_calls.device; }

void set_threads(int threads) {
  at::set_num_threads(threads);
  if (openblas_set_num_threads) openblas_set_num_threads(threads);
}

at::Tensor Place::view(const float* data, c10::IntArrayRef sizes, c10::IntArrayRef strides) const {
  // LibTorch has one pointer type for memory, also for memory that it only reads.
  return at::for_blob(const_cast<float*>(data), sizes)
      .strides(strides)
      .options(c10::TensorOptions(device).dtype(at::kFloat))
      .target_device(device)  // else LibTorch asks the driver for the pointer's device
      .make_tensor();
}

at::Tensor Place::operand(const at::Tensor& tensor) const { return bf16 ? tensor.to(at::kBFloat16) : tensor; }

std::string Place::describe(const std::string& operation) const {
  return "torch " + device.str() + (bf16 ? " bf16 " : " ") + operation;
}

}  // namespace torch_backend

extern "C" const vae_library* vaert_torch(const vae_torch_options* options, char* error, size_t error_size) {
  try {
    torch_backend::choose_device(*options);
    return &torch_backend::table;
  } catch (const std::exception& failure) {
    torch_backend::report(failure, error, error_size);
    return nullptr;
  }
}

extern "C" void* vaert_torch_stream(void) {
  const c10::Device device = torch_backend::place_of_calls.device;
  return device.is_cuda() ? torch_backend::native_handle_of(torch_backend::cuda().getStream(device))
                          : nullptr;
}

extern "C" const char* vaert_torch_version(void) { return TORCH_VERSION; }
