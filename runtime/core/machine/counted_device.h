// A GPU that executes nothing and counts the work that it is given. Its memory holds no values; downloads
// give zeros. It counts what a graph of this work would contain, with LibTorch's own copies as runtime/torch
// causes them.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "runtime/core/image.h"
#include "runtime/core/machine/cards.h"
#include "runtime/core/machine/device.h"

namespace core {

/// loop: a kernel of the image; runtime: one of the runtime's own; product, convolution: by a library.
enum class NodeKind { loop, runtime, product, convolution, copy };

/// A kernel or copy that a GPU executes, as a node of a graph or alone.
struct CountedNode {
  NodeKind kind = NodeKind::loop;
  std::string name;  // of the operation that it belongs to
  double bytes = 0;  // read and written; each place of an operand counts once
  double flops = 0;  // of products and convolutions
  bool in_graph = false;
};

class CountedDevice final : public Device {
 public:
  /// `precision`: a vae_precision. Failure(bad_configuration) if the image has no code for GPUs.
  CountedDevice(const Image& image, const Card& card, int precision);
  ~CountedDevice() override;

  Floats allocate(int64_t count) override;
  void upload(void* to, const void* from, size_t bytes) override;
  void download(void* to, const void* from, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;
  void clear(float* to, int64_t count) override;
  cuda::Function function(const std::string& name) override;
  void run(Recording& recording, const std::function<void()>& work) override;
  // It counts the work of one rank.
  void join(const nccl::Group&) override {}
  void sum_ranks(float*, int64_t) override {}
  void leave_ranks() override {}
  void keep_close() override {}
  void begin_operation(const std::string& name, double bytes) override;
  bool counts() const override { return true; }

  const Card& card() const { return card_; }
  int precision() const { return precision_; }
  /// Counts from now on.
  void begin_count();
  const std::vector<CountedNode>& nodes() const { return nodes_; }
  int64_t graphs() const { return graphs_; }     // replays
  double uploaded() const { return uploaded_; }  // bytes

  /// Called by its library.
  void add(NodeKind kind, double bytes, double flops = 0);

 private:
  void enqueue(cuda::Function function, const Launch& launch, void** parameters) override;

  const Card& card_;
  const int precision_;
  std::set<std::string> functions_;
  std::string operation_;
  double operation_bytes_ = 0;
  bool in_graph_ = false;
  std::vector<CountedNode> nodes_;
  int64_t graphs_ = 0;
  double uploaded_ = 0;
};

}  // namespace core
