// What a command computes on, as the user asked for it, and the table of heavy kernels that this means.
#pragma once
#include <string>
#include <vector>

#include "runtime/abi.h"

namespace core {

struct MachineRequest {
  std::string device = "auto";  // or cpu; cuda is refused
  std::string backend;          // of the heavy kernels; empty: onednn
  int threads = 0;              // 0: all
};

/// The names that `MachineRequest::backend` may have.
const std::vector<std::string>& backend_names();

/// Failure(bad_configuration) where this installation or machine does not have what is asked for.
const vae_heavy* open_backend(const MachineRequest& request);

/// libvaert_torch.so on a CUDA device (-1: the CPU) in a vae_precision. Failure(bad_configuration).
const vae_heavy* open_torch(int device, int precision);

/// LibTorch's, once it is open; else empty.
std::string torch_version();

}  // namespace core
