// The device, precision and backend that a user asked for, and the table of library operations that follows.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/core/machine/cards.h"
#include "runtime/core/ranks/ranks_request.h"

namespace core {

class Device;

struct MachineRequest {
  std::string device = "auto";  // or cpu, cuda, cuda:1, ...
  int precision = VAE_FP32;     // a vae_precision, of the library operations in training
  std::string backend;          // of the library operations; empty: onednn
  int threads = 0;              // 0: all
  bool pin = false;             // each thread stays on a processor of its own
  int first_processor = 0;      // of the first thread, if they are pinned: others belong to other ranks
  /// On a GPU: convolutions are chosen by timing, so results differ in their last bits
  bool cudnn_benchmark = false;
  RanksRequest ranks;
  /// If not null: the GPU that `device` names, opened with these options already
  std::shared_ptr<Device> opened;
  /// If not null: training works for a GPU of this kind, and only counts what it would execute
  const Card* counted = nullptr;
};

/// Whether `name` is auto, cpu, cuda, cuda:0, cuda:1, ...
bool is_device(const std::string& name);

/// The number of the GPU that `device` names; -1 if it names none.
int gpu_of(const std::string& device);

/// The names that `MachineRequest::backend` may have.
const std::vector<std::string>& backend_names();

/// The library operations on the processor, always in fp32. Failure(bad_configuration) if this installation
/// or machine does not have the backend that is asked for.
const vae_library* open_backend(const MachineRequest& request);

/// The library operations on the processor, in the precision asked for. Failure(bad_configuration) also if
/// this processor cannot compute in that precision.
const vae_library* open_training_backend(const MachineRequest& request);

/// Finds a function of libvaert_torch.so, which then stays open. Failure(bad_configuration) if this
/// installation does not have it; the message begins with `asks`, such as "--backend torch".
void* torch_function(const std::string& asks, const char* name);

/// The library operations of libvaert_torch.so on the device asked for. Failure(bad_configuration) if it
/// cannot be opened.
const vae_library* open_torch(const vae_torch_options& options);

/// The CUDA stream (a CUstream) on which LibTorch enqueues its work; null on the CPU.
void* torch_stream();

/// Tells LibTorch that work will be captured in a graph, or has been. Whether it keeps the memory that graphs
/// use (runtime/torch/graph_api.h).
bool torch_captures(bool begins);

/// The version of LibTorch if it is open, else empty.
std::string torch_version();

}  // namespace core
