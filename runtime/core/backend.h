// What a command computes on, as the user asked for it, and the table of library operations that this means.
#pragma once
#include <string>
#include <vector>

#include "runtime/abi.h"

namespace core {

struct MachineRequest {
  std::string device = "auto";   // or cpu, cuda, cuda:1, ...
  int precision = VAE_FP32;      // a vae_precision: of the library operations in training
  std::string backend;           // of the library operations; empty: onednn
  int threads = 0;               // 0: all
  bool cudnn_benchmark = false;  // on a GPU: convolutions chosen by timing, results differ in their last bits
};

/// Is it auto, cpu, cuda, cuda:0, cuda:1, ...?
bool is_device(const std::string& name);

/// The number of the GPU that `device` names; -1: none.
int gpu_of(const std::string& device);

/// The names that `MachineRequest::backend` may have.
const std::vector<std::string>& backend_names();

/// The library operations on the processor, in fp32 whatever the precision asked for.
/// Failure(bad_configuration) where this installation or machine does not have what is asked for.
const vae_library* open_backend(const MachineRequest& request);

/// Likewise, in the precision asked for.
const vae_library* open_training_backend(const MachineRequest& request);

/// A function of libvaert_torch.so, which stays open. Failure(bad_configuration) naming who `asks`
/// ("--backend torch") where this installation does not have it.
void* torch_function(const std::string& asks, const char* name);

/// The library operations of libvaert_torch.so on the device asked for. Failure(bad_configuration).
const vae_library* open_torch(const vae_torch_options& options);

/// Where it enqueues what it computes on a CUDA device (a CUstream); null on the CPU.
void* torch_stream();

/// LibTorch's, once it is open; else empty.
std::string torch_version();

}  // namespace core
