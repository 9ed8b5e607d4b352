#include "runtime/core/machine/cuda_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "runtime/core/machine/backend.h"
#include "runtime/shared/failure.h"

namespace core {
using cuda::Driver;
using cuda::Pointer;

namespace {

Pointer address(const void* pointer) { return reinterpret_cast<Pointer>(pointer); }

const Driver& driver_for(const Image& image) {
  if (!image.ptx)
    throw Failure(Exit::bad_configuration,
                  "--device cuda: this executable has no code for GPUs; build it with --target cuda or auto");
  return Driver::get();
}

}  // namespace

#define CUDA(call, ...) driver_.check(driver_.call(__VA_ARGS__), #call)

CudaDevice::CudaDevice(const Image& image, const vae_torch_options& options)
    : driver_(driver_for(image)), wait_(driver_) {
  const int ordinal = options.device, count = driver_.gpus();
  int device = 0, major = 0;
  if (ordinal >= count)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("--device cuda:{}: there {} {} here, from cuda:0 on", ordinal, count == 1 ? "is" : "are",
                    count == 1 ? "one GPU" : fmt::format("{} GPUs", count)));
  CUDA(cuDeviceGet, &device, ordinal);
  CUDA(cuDeviceGetAttribute, &processors_, cuda::attribute_processors, device);
  CUDA(cuDeviceGetAttribute, &major, cuda::attribute_major, device);
  std::array<char, 128> text{};
  CUDA(cuDeviceGetName, text.data(), static_cast<int>(text.size()), device);
  name_ = text.data();
  CUDA(cuDeviceGetPCIBusId, text.data(), static_cast<int>(text.size()), device);
  bus_id_ = text.data();
  if (major < 7)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("--device cuda:{}: {} is too old: compute capability 7.0 is needed", ordinal, name_));
  library_ = open_torch(options);
  // LibTorch's context: the primary context of the GPU, which all code of a process shares.
  CUDA(cuDevicePrimaryCtxRetain, &context_, device);
  CUDA(cuCtxSetCurrent, context_);
  stream_ = static_cast<cuda::Stream>(torch_stream());
  if (!stream_)  // work on the driver's default stream cannot be recorded
    throw Failure(Exit::bad_configuration, "--device cuda: LibTorch does not name the stream of its work");
  uploads_ = std::make_unique<Uploads>(driver_, stream_, wait_);
  load(image);  // the module and the context live as long as the process
  clock_ = allocate(8);
}

void CudaDevice::load(const Image& image) {
  std::array<char, 4096> log{};
  const unsigned options[] = {cuda::jit_error_log, cuda::jit_error_log_size};
  void* values[] = {log.data(), std::bit_cast<void*>(log.size())};
  if (driver_.cuModuleLoadDataEx(&module_, image.ptx, 2, options, values) != 0)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("--device cuda: the driver does not take this executable's code: {}", log.data()));
}

Floats CudaDevice::allocate(int64_t count) {
  Pointer pointer = 0;
  const size_t words = std::max<size_t>(1, static_cast<size_t>(count)), bytes = words * sizeof(float);
  const int result = driver_.cuMemAlloc_v2(&pointer, bytes);
  if (result == cuda::out_of_memory) {
    size_t free = 0, total = 0;
    driver_.cuMemGetInfo_v2(&free, &total);
    throw Failure(Exit::bad_configuration,
                  fmt::format("{} has no memory for {:.1f} MiB more: {:.1f} of {:.1f} are free", name_,
                              static_cast<double>(bytes) / 0x1p20, static_cast<double>(free) / 0x1p20,
                              static_cast<double>(total) / 0x1p20));
  }
  driver_.check(result, "cuMemAlloc_v2");
  const auto free = [](float* memory, const void* driver) {
    static_cast<const Driver*>(driver)->cuMemFree_v2(address(memory));
  };
  Floats memory(std::bit_cast<float*>(pointer), count, {free, &driver_});
  clear(memory.data(), static_cast<int64_t>(words));
  return memory;
}

void CudaDevice::upload(void* to, const void* from, size_t bytes) {
  uploads_->upload(address(to), from, bytes);
}

void CudaDevice::download(void* to, const void* from, size_t bytes) {
  CUDA(cuMemcpyDtoHAsync_v2, to, address(from), bytes, stream_);
  wait_.for_stream(stream_);
}

void CudaDevice::join(const nccl::Group& group) {
  communicator_.emplace(group, stream_, [this] { CUDA(cuCtxSetCurrent, context_); });
  wait_.set_look([this, look = group.look](double seconds) {
    look(seconds, communicator_ ? communicator_->error() : "");
  });
}

void CudaDevice::leave_ranks() {
  if (communicator_) communicator_->abort();
}

void CudaDevice::keep_close() {
  std::swap(passed_.front(), passed_.back());
  cuda::Event& event = passed_.back();
  if (event)
    wait_.for_event(event);
  else
    CUDA(cuEventCreate, &event, cuda::event_without_time);
  CUDA(cuEventRecord, event, stream_);
}

void CudaDevice::copy(void* to, const void* from, size_t bytes) {
  CUDA(cuMemcpyDtoDAsync_v2, address(to), address(from), bytes, stream_);
}

void CudaDevice::clear(float* to, int64_t count) {
  CUDA(cuMemsetD32Async, address(to), 0, static_cast<size_t>(count), stream_);
}

cuda::Function CudaDevice::function(const std::string& name) {
  const auto [entry, fresh] = functions_.try_emplace(name, nullptr);
  if (fresh) CUDA(cuModuleGetFunction, &entry->second, module_, name.c_str());
  return entry->second;
}

void CudaDevice::enqueue(cuda::Function function, const Launch& launch, void** parameters) {
  CUDA(cuLaunchKernel, function, launch.blocks_x, launch.blocks_y, 1, launch.threads, 1, 1, 0, stream_,
       parameters, nullptr);
}

void CudaDevice::run_whole(const std::function<void()>& work) {
  const bool before = std::exchange(running_, true);
  try {
    work();
  } catch (...) {
    running_ = before;
    throw;
  }
  running_ = before;
}

/// Records the work in a graph. LibTorch keeps the memory that the graph uses.
cuda::GraphExec CudaDevice::capture(const std::function<void()>& work) {
  if (!torch_captures(true) && std::exchange(keeps_graph_memory_, false))
    fmt::print(
        stderr,
        "note: libvaert_torch.so was built without CUDA's headers: when the GPU's memory runs out, results "
        "may be wrong\n");
  cuda::Graph graph = nullptr;
  CUDA(cuStreamBeginCapture_v2, stream_, cuda::capture_relaxed);
  try {
    run_whole(work);
  } catch (...) {
    driver_.cuStreamEndCapture(stream_, &graph);
    torch_captures(false);
    throw;
  }
  CUDA(cuStreamEndCapture, stream_, &graph);
  torch_captures(false);
  cuda::GraphExec exec = nullptr;
  CUDA(cuGraphInstantiateWithFlags, &exec, graph, 0);
  CUDA(cuGraphDestroy, graph);
  return exec;
}

void CudaDevice::run(Recording& recording, const std::function<void()>& work) {
  // The first time is not recorded: LibTorch then chooses its algorithms and allocates its memory.
  if (recording.runs_++ == 0 || running_) return run_whole(work);
  if (!recording.exec_) {
    recording.exec_ = capture(work);
    recording.driver_ = &driver_;
  }
  CUDA(cuGraphLaunch, recording.exec_, stream_);
}

}  // namespace core
