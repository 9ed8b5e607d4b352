// NVIDIA's driver, opened when a program asks for a GPU: the functions of libcuda.so.1 that vaec calls, by
// their names in the driver's interface. Building this needs nothing of CUDA.
#pragma once
#include <cstddef>
#include <cstdint>

namespace core::cuda {

using Pointer = unsigned long long;  // CUdeviceptr

/// Opaque types of the driver.
using Context = struct ContextTag*;
using Module = struct ModuleTag*;
using Function = struct FunctionTag*;
using Stream = struct StreamTag*;
using Graph = struct GraphTag*;
using GraphExec = struct GraphExecTag*;
using Event = struct EventTag*;

constexpr int out_of_memory = 2;                               // CUDA_ERROR_OUT_OF_MEMORY
constexpr int not_ready = 600;                                 // CUDA_ERROR_NOT_READY
constexpr int capture_relaxed = 2;                             // CU_STREAM_CAPTURE_MODE_RELAXED
constexpr unsigned event_without_time = 2;                     // CU_EVENT_DISABLE_TIMING
constexpr int attribute_processors = 16;                       // CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
constexpr int attribute_major = 75;                            // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
constexpr unsigned jit_error_log = 5, jit_error_log_size = 6;  // CU_JIT_ERROR_LOG_BUFFER and its size

struct Driver {
  int (*cuInit)(unsigned flags);
  int (*cuGetErrorString)(int error, const char** text);
  int (*cuDeviceGetCount)(int* count);
  int (*cuDeviceGet)(int* device, int ordinal);
  int (*cuDeviceGetName)(char* name, int size, int device);
  int (*cuDeviceGetAttribute)(int* value, int attribute, int device);
  int (*cuDeviceGetPCIBusId)(char* id, int size, int device);
  int (*cuDevicePrimaryCtxRetain)(Context* context, int device);
  int (*cuCtxSetCurrent)(Context context);
  int (*cuModuleLoadDataEx)(Module* module, const void* text, unsigned count, const unsigned* options,
                            void** values);
  int (*cuModuleGetFunction)(Function* function, Module module, const char* name);
  int (*cuMemAlloc_v2)(Pointer* pointer, size_t bytes);
  int (*cuMemFree_v2)(Pointer pointer);
  int (*cuMemGetInfo_v2)(size_t* free, size_t* total);
  int (*cuMemsetD32Async)(Pointer to, unsigned value, size_t count, Stream stream);
  int (*cuMemcpyHtoDAsync_v2)(Pointer to, const void* from, size_t bytes, Stream stream);
  int (*cuMemcpyDtoHAsync_v2)(void* to, Pointer from, size_t bytes, Stream stream);
  int (*cuMemcpyDtoDAsync_v2)(Pointer to, Pointer from, size_t bytes, Stream stream);
  int (*cuStreamSynchronize)(Stream stream);
  int (*cuStreamQuery)(Stream stream);
  int (*cuMemHostAlloc)(void** pointer, size_t bytes, unsigned flags);
  int (*cuMemFreeHost)(void* pointer);
  int (*cuEventCreate)(Event* event, unsigned flags);
  int (*cuEventRecord)(Event event, Stream stream);
  int (*cuEventSynchronize)(Event event);
  int (*cuEventQuery)(Event event);
  int (*cuEventDestroy_v2)(Event event);
  int (*cuLaunchKernel)(Function function, unsigned blocks_x, unsigned blocks_y, unsigned blocks_z,
                        unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned shared,
                        Stream stream, void** parameters, void** extra);
  int (*cuStreamBeginCapture_v2)(Stream stream, int mode);
  int (*cuStreamEndCapture)(Stream stream, Graph* graph);
  int (*cuGraphInstantiateWithFlags)(GraphExec* exec, Graph graph, unsigned long long flags);
  int (*cuGraphLaunch)(GraphExec exec, Stream stream);
  int (*cuGraphExecDestroy)(GraphExec exec);
  int (*cuGraphDestroy)(Graph graph);

  /// The driver, opened and initialised once. Failure(bad_configuration) if there is no driver, an older one,
  /// or no GPU.
  static const Driver& get();
  /// How many GPUs this process sees.
  int gpus() const;

  /// Failure(internal) if `result` is an error; it names the call and the driver's text for the error.
  void check(int result, const char* call) const;
};

}  // namespace core::cuda
