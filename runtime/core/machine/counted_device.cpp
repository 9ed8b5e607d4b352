#include "runtime/core/machine/counted_device.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include "runtime/shared/failure.h"

namespace core {
namespace {

/// A prepared call of the counting library: it adds the nodes that runtime/torch enqueues for the call.
struct CountedCall {
  std::function<void(CountedDevice&)> add;
  double flops = 0;
};

const CountedCall& call_of(const vae_library_op* op) { return *reinterpret_cast<const CountedCall*>(op); }

vae_library_op* op_of(CountedCall call) {
  return reinterpret_cast<vae_library_op*>(new CountedCall(std::move(call)));
}

/// The device whose library this is. The library's interface has no place for it.
CountedDevice* counting_device = nullptr;

constexpr double of_float = 4, of_bf16 = 2;  // bytes

/// Operands are rounded to bf16 by kernels of their own.
void add_rounding(CountedDevice& device, double elements) {
  if (device.precision() == VAE_BF16) device.add(NodeKind::copy, elements * (of_float + of_bf16));
}

double operand_bytes(const CountedDevice& device) {
  return device.precision() == VAE_BF16 ? of_bf16 : of_float;
}

/// runtime/torch/gemm.cpp: one product, which writes to its destination.
vae_library_op* counted_gemm(const vae_gemm* shape, char*, size_t) {
  const auto m = static_cast<double>(shape->m), n = static_cast<double>(shape->n),
             k = static_cast<double>(shape->k);
  const double flops = 2 * m * n * k;
  return op_of({[=](CountedDevice& device) {
                  add_rounding(device, m * k);
                  add_rounding(device, k * n);
                  device.add(NodeKind::product, operand_bytes(device) * (m * k + k * n) + of_float * m * n,
                             flops);
                },
                flops});
}

/// runtime/torch/convolution.cpp: LibTorch gives cuDNN the weights with channels last, so they are copied
/// where that is another order. cuDNN writes the results of forward convolutions to their destination, and
/// gradients by the data if the stride is 1 (then they are forward convolutions with the weights
/// turned); in bf16, and otherwise, the result is copied there.
vae_library_op* counted_convolution(const vae_convolution* s, char*, size_t) {
  const auto number = [](auto... factors) { return (static_cast<double>(factors) * ...); };
  const double source = number(s->batch, s->in_channels, s->in_h, s->in_w);
  const double destination = number(s->batch, s->out_channels, s->out_h, s->out_w);
  const double weights = number(s->out_channels, s->in_channels, s->kernel_h, s->kernel_w);
  const double flops = 2 * number(s->batch, s->out_h, s->out_w) * weights;
  const int direction = s->direction;
  const auto turns = [](int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
    return stride == 1 && kernel > padding && in + 2 * padding - kernel + 1 == out;
  };
  const bool turned = direction == VAE_BACKWARD_DATA &&
                      turns(s->in_h, s->out_h, s->kernel_h, s->stride_h, s->padding_h) &&
                      turns(s->in_w, s->out_w, s->kernel_w, s->stride_w, s->padding_w);
  const int64_t window = s->kernel_h * s->kernel_w;
  const bool reordered =
      turned ? s->out_channels > 1 && (window > 1 || s->in_channels > 1) : s->in_channels > 1 && window > 1;
  const bool direct = direction == VAE_FORWARD || turned;
  return op_of({[=](CountedDevice& device) {
                  const double result = direction == VAE_FORWARD         ? destination
                                        : direction == VAE_BACKWARD_DATA ? source
                                                                         : weights;
                  const double operands = source + destination + weights - result,
                               size = operand_bytes(device);
                  if (direction != VAE_BACKWARD_WEIGHTS) {
                    add_rounding(device, weights);
                    if (turned && window > 1) device.add(NodeKind::copy, 2 * size * weights);
                    if (reordered) device.add(NodeKind::copy, 2 * size * weights);
                    add_rounding(device, operands - weights);
                  } else {
                    add_rounding(device, source);
                    add_rounding(device, destination);
                  }
                  device.add(NodeKind::convolution, size * (operands + result), flops);
                  if (!direct || device.precision() == VAE_BF16)
                    device.add(NodeKind::copy, (size + of_float) * result);
                },
                flops});
}

const vae_library counting_library = {
    .name = "counted",
    .set_threads = [](int) {},
    .prepare_gemm = counted_gemm,
    .prepare_convolution = counted_convolution,
    .run = [](vae_library_op* op, const float*, const float*, float*) -> const char* {
      call_of(op).add(*counting_device);
      return nullptr;
    },
    .describe = [](const vae_library_op*) { return "counted"; },
    .flops = [](const vae_library_op* op) { return call_of(op).flops; },
    .release = [](vae_library_op* op) { delete &call_of(op); },
};

}  // namespace

CountedDevice::CountedDevice(const Image& image, const Card& card, int precision)
    : card_(card), precision_(precision) {
  if (!image.ptx)
    throw Failure(Exit::bad_configuration,
                  "--count: this executable has no code for GPUs; build it with --target cuda or auto");
  name_ = card.name;
  processors_ = card.processors;
  library_ = &counting_library;
  counting_device = this;
  clock_ = allocate(8);
}

CountedDevice::~CountedDevice() {
  if (counting_device == this) counting_device = nullptr;
}

/// Addresses that nobody can read or write, so that no value can be taken from them by mistake.
Floats CountedDevice::allocate(int64_t count) {
  const size_t bytes = static_cast<size_t>(std::max<int64_t>(1, count)) * sizeof(float);
  void* memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  // The process ends soon, and its address space is large: nothing is given back.
  return {static_cast<float*>(memory), count, {[](float*, const void*) {}}};
}

void CountedDevice::upload(void*, const void*, size_t bytes) { uploaded_ += static_cast<double>(bytes); }

void CountedDevice::download(void* to, const void*, size_t bytes) { std::memset(to, 0, bytes); }

void CountedDevice::copy(void*, const void*, size_t bytes) {
  add(NodeKind::copy, 2 * static_cast<double>(bytes));
}

void CountedDevice::clear(float*, int64_t count) {
  add(NodeKind::copy, of_float * static_cast<double>(count));
}

cuda::Function CountedDevice::function(const std::string& name) {
  const std::string& known = *functions_.insert(name).first;
  return reinterpret_cast<cuda::Function>(const_cast<std::string*>(&known));
}

void CountedDevice::enqueue(cuda::Function function, const Launch&, void**) {
  const auto& name = *reinterpret_cast<const std::string*>(function);
  add(name.starts_with("vae_") ? NodeKind::runtime : NodeKind::loop, operation_bytes_);
}

void CountedDevice::add(NodeKind kind, double bytes, double flops) {
  nodes_.push_back({kind, operation_, bytes, flops, in_graph_});
}

void CountedDevice::begin_operation(const std::string& name, double bytes) {
  operation_ = name;
  operation_bytes_ = bytes;
}

void CountedDevice::run(Recording&, const std::function<void()>& work) {
  if (in_graph_) return work();
  ++graphs_;
  in_graph_ = true;
  work();
  in_graph_ = false;
}

void CountedDevice::begin_count() {
  nodes_.clear();
  graphs_ = 0;
  uploaded_ = 0;
}

}  // namespace core
