// A GPU: its memory, the image's kernels, and sequences of work that are recorded once and replayed. In: an
// image with PTX. All work is enqueued on one stream, which belongs to LibTorch. Only download() waits for
// the stream.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/launch.h"
#include "runtime/core/machine/cuda_driver.h"
#include "runtime/core/machine/memory.h"
#include "runtime/core/machine/uploads.h"
#include "runtime/schema/device_kernels.h"

namespace core {

class Device {
 public:
  /// Failure(bad_configuration) if the image has no code for GPUs, this machine has no such GPU, or this
  /// installation has no LibTorch for it.
  Device(const Image& image, const vae_torch_options& options);
  Device(const Device&) = delete;
  ~Device();

  const std::string& name() const { return name_; }
  int processors() const { return processors_; }
  /// GEMM and convolution in this GPU's memory, enqueued like all other work.
  const vae_library* library() const { return library_; }

  /// Zeroed memory. Failure(bad_configuration) if the GPU does not have enough.
  Floats allocate(int64_t count);
  /// The caller may change `from` after the return.
  void upload(void* to, const void* from, size_t bytes);
  void download(void* to, const void* from, size_t bytes);
  /// Copies within the GPU's memory. A recording includes it.
  void copy(void* to, const void* from, size_t bytes);
  /// Fills `to` with zeros. A recording includes it.
  void clear(float* to, int64_t count);

  cuda::Function function(const std::string& name);
  /// Launches the function as a kernel of runtime/schema/device_kernels.h.
  template <class Kernel>
  void launch(cuda::Function function, const Launch& launch, const Kernel& kernel) {
    std::vector<void*> places;  // the driver's interface takes pointers to values that it only reads
    schema::each_parameter(
        kernel, [&](const auto& parameter) { places.push_back(const_cast<void*>(parameter.place())); });
    enqueue(function, launch, places.data());
  }
  /// Launches one of the runtime's own kernels, by its name.
  template <class Kernel>
  void launch(int64_t blocks, const Kernel& kernel) {
    launch(function(Kernel::name),
           Launch{.blocks_x = static_cast<uint32_t>(blocks), .threads = threads_of_runtime_kernels}, kernel);
  }
  static constexpr uint32_t threads_of_runtime_kernels = 256;  // per block
  /// Enough blocks for one thread per element. If there are many elements, each thread takes several.
  int64_t blocks_for(int64_t elements) const;
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
      std::swap(device_, other.device_);
      std::swap(exec_, other.exec_);
      return *this;
    }
    ~Recording();

   private:
    friend class Device;
    int64_t runs_ = 0;
    Device* device_ = nullptr;
    cuda::GraphExec exec_ = nullptr;
  };
  /// Executes or replays the work. Inside other replayable work, it becomes part of that work.
  void run(Recording& recording, const std::function<void()>& work);

 private:
  void load(const Image& image);
  /// `parameters`: pointers to the kernel's parameters in order.
  void enqueue(cuda::Function function, const Launch& launch, void** parameters);
  /// Executes the work without recording the replayable work that it contains separately.
  void run_whole(const std::function<void()>& work);

  const cuda::Driver& driver_;
  const vae_library* library_ = nullptr;
  std::string name_;
  int processors_ = 1;
  cuda::Module module_ = nullptr;
  cuda::Stream stream_ = nullptr;
  std::unique_ptr<Uploads> uploads_;
  std::map<std::string, cuda::Function> functions_;
  Floats clock_;
  bool running_ = false;  // while replayable work is executed
};

}  // namespace core
