// A GPU: its memory, the image's kernels, and sequences of work that are recorded once and replayed. All work
// is enqueued on one stream. Only download() and keep_close() wait for the stream. There are two
// implementations: a GPU of this machine (cuda_device.h), and one that only counts the work it is given
// (counted_device.h).
#pragma once
#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/abi.h"
#include "runtime/core/launch.h"
#include "runtime/core/machine/cuda_driver.h"
#include "runtime/core/machine/memory.h"
#include "runtime/core/machine/nccl/communicator.h"
#include "runtime/schema/device_kernels.h"

namespace core {

class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  virtual ~Device() = default;

  const std::string& name() const { return name_; }
  int processors() const { return processors_; }
  /// GEMM and convolution in this GPU's memory, enqueued like all other work.
  const vae_library* library() const { return library_; }

  /// Zeroed memory. Failure(bad_configuration) if the GPU does not have enough.
  virtual Floats allocate(int64_t count) = 0;
  /// The caller may change `from` after the return.
  virtual void upload(void* to, const void* from, size_t bytes) = 0;
  virtual void download(void* to, const void* from, size_t bytes) = 0;
  /// Copies within the GPU's memory. A recording includes it.
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  /// Fills `to` with zeros. A recording includes it.
  virtual void clear(float* to, int64_t count) = 0;

  virtual cuda::Function function(const std::string& name) = 0;
  /// Launches the function as a kernel of runtime/schema/device_kernels.h.
  template <class Kernel>
  void launch(cuda::Function function, const Launch& launch, const Kernel& kernel) {
    if (launch.blocks_x == 0) return;  // the driver refuses a grid without blocks
    std::vector<void*> places;         // the driver's interface takes pointers to values that it only reads
    schema::each_parameter(
        kernel, [&](const auto& parameter) { places.push_back(const_cast<void*>(parameter.place())); });
    enqueue(function, launch, places.data());
  }
  /// Launches one of the runtime's own kernels, by its name.
  template <class Kernel>
  void launch(int64_t blocks, const Kernel& kernel) {
    if constexpr (requires { kernel.bytes(); }) begin_operation(Kernel::name, kernel.bytes());
    launch(function(Kernel::name),
           Launch{.blocks_x = static_cast<uint32_t>(blocks), .threads = threads_of_runtime_kernels}, kernel);
  }
  static constexpr uint32_t threads_of_runtime_kernels = 256;  // per block
  /// Enough blocks for one thread per element. If there are many elements, each thread takes several.
  int64_t blocks_for(int64_t elements) const {
    constexpr int64_t threads = threads_of_runtime_kernels;
    return std::clamp<int64_t>((elements + threads - 1) / threads, 1, int64_t{16} * processors_);
  }
  /// Where kernels read the run's seed and steps (runtime/image.md).
  uint64_t* clock() const { return reinterpret_cast<uint64_t*>(clock_.data()); }

  /// Work that can be replayed. It is executed normally the first time, recorded the second time, and
  /// replayed from then on.
  class Recording {
   public:
    Recording() = default;
    Recording(Recording&& other) noexcept { *this = std::move(other); }
    Recording& operator=(Recording&& other) noexcept {
      std::swap(runs_, other.runs_);
      std::swap(driver_, other.driver_);
      std::swap(exec_, other.exec_);
      return *this;
    }
    ~Recording() {
      if (exec_) driver_->cuGraphExecDestroy(exec_);
    }

   private:
    friend class CudaDevice;
    int64_t runs_ = 0;
    const cuda::Driver* driver_ = nullptr;
    cuda::GraphExec exec_ = nullptr;
  };
  /// Executes or replays the work. Inside other replayable work, it becomes part of that work.
  virtual void run(Recording& recording, const std::function<void()>& work) = 0;

  /// Connects this GPU with those of the other ranks. Failure(bad_configuration) if NCCL cannot.
  virtual void join(const nccl::Group& group) = 0;
  /// The values become their sums over all ranks of the group. A recording includes it.
  virtual void sum_ranks(float* values, int64_t count) = 0;
  /// Gives up sums that wait for other ranks, before the process ends.
  virtual void leave_ranks() = 0;
  /// Waits until all work is done that was enqueued before the last call but one, so that the host notices
  /// soon if the device waits for another rank in vain.
  virtual void keep_close() = 0;

  /// What the device enqueues until the next call belongs to this operation, which reads and writes so many
  /// bytes.
  virtual void begin_operation(const std::string& name, double bytes) = 0;
  /// Whether begin_operation is of use.
  virtual bool counts() const { return false; }

 protected:
  /// `parameters`: pointers to the kernel's parameters in order.
  virtual void enqueue(cuda::Function function, const Launch& launch, void** parameters) = 0;

  std::string name_;
  int processors_ = 1;
  const vae_library* library_ = nullptr;
  Floats clock_;
};

}  // namespace core
