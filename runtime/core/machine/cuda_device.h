// A GPU of this machine, with CUDA's driver and LibTorch. In: an image with PTX. The stream of all its work
// belongs to LibTorch.
#pragma once
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "runtime/core/image.h"
#include "runtime/core/machine/device.h"
#include "runtime/core/machine/uploads.h"

namespace core {

class CudaDevice final : public Device {
 public:
  /// Failure(bad_configuration) if the image has no code for GPUs, this machine has no such GPU, or this
  /// installation has no LibTorch for it.
  CudaDevice(const Image& image, const vae_torch_options& options);

  Floats allocate(int64_t count) override;
  void upload(void* to, const void* from, size_t bytes) override;
  void download(void* to, const void* from, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;
  void clear(float* to, int64_t count) override;
  cuda::Function function(const std::string& name) override;
  void run(Recording& recording, const std::function<void()>& work) override;
  void join(const nccl::Group& group) override;
  void sum_ranks(float* values, int64_t count) override { communicator_->sum(values, count); }
  void leave_ranks() override;
  void keep_close() override;
  void begin_operation(const std::string&, double) override {}

  /// The place of the GPU in its machine, such as 0000:17:00.0.
  const std::string& bus_id() const { return bus_id_; }

 private:
  void load(const Image& image);
  void enqueue(cuda::Function function, const Launch& launch, void** parameters) override;
  cuda::GraphExec capture(const std::function<void()>& work);
  /// Executes the work without recording the replayable work that it contains separately.
  void run_whole(const std::function<void()>& work);

  const cuda::Driver& driver_;
  cuda::Module module_ = nullptr;
  cuda::Context context_ = nullptr;
  cuda::Stream stream_ = nullptr;
  std::string bus_id_;
  GpuWait wait_;
  std::unique_ptr<Uploads> uploads_;
  std::array<cuda::Event, 2> passed_ = {};  // of the last calls of keep_close()
  std::optional<nccl::Communicator> communicator_;
  std::map<std::string, cuda::Function> functions_;
  bool keeps_graph_memory_ = true;  // whether LibTorch does
  bool running_ = false;            // while replayable work is executed
};

}  // namespace core
