// NVIDIA's library of collectives, opened when several ranks train on GPUs: the functions of libnccl.so.2
// that vaec calls, by their names in the library's interface. Building this needs nothing of NCCL.
#pragma once
#include <cstddef>
#include <string>

#include "runtime/core/machine/cuda_driver.h"

namespace core::nccl {

using Comm = struct CommTag*;  // ncclComm_t

struct UniqueId {  // ncclUniqueId
  char bytes[128];
};

constexpr int success = 0, in_progress = 7;  // ncclSuccess, ncclInProgress
constexpr int float32 = 7, sum = 0;          // ncclFloat32, ncclSum

struct Library {
  int (*ncclGetVersion)(int* version);
  const char* (*ncclGetErrorString)(int error);
  int (*ncclGetUniqueId)(UniqueId* id);
  int (*ncclCommInitRank)(Comm* comm, int size, UniqueId id, int rank);
  int (*ncclCommGetAsyncError)(Comm comm, int* error);
  int (*ncclCommAbort)(Comm comm);
  int (*ncclCommDestroy)(Comm comm);
  int (*ncclAllReduce)(const void* from, void* to, size_t count, int type, int operation, Comm comm,
                       cuda::Stream stream);

  /// The library, opened once. LibTorch may have brought it already. Failure(bad_configuration) if there is
  /// none, or it is too old to be recorded in graphs.
  static const Library& get();

  /// What the call reports: empty if it succeeded, else one line for messages.
  std::string error(int result, const char* call) const;
  /// "2.21.5"
  std::string version() const;
};

/// An identifier of a new group, for Group::id.
std::string make_id();

}  // namespace core::nccl
