#include <stdexcept>

#include "runtime/onednn/heavy_op.h"
#include "runtime/onednn/primitive.h"

namespace onednn {
namespace {

using Tag = dnnl::memory::format_tag;

/// The plain layouts go to oneDNN as they are: a transposed operand is only a pair of strides, and the copy
/// that its kernel then makes of it is cheaper than a reorder beforehand (docs/performance.md).
class Matmul final : public vae_heavy_op {
 public:
  explicit Matmul(const vae_gemm& shape) {
    const auto a = plain({shape.m, shape.k}, shape.transpose_a ? Tag::ba : Tag::ab);
    const auto b = plain({shape.k, shape.n}, shape.transpose_b ? Tag::ba : Tag::ab);
    const auto c = plain({shape.m, shape.n}, Tag::ab);
    const dnnl::matmul::primitive_desc matmul({a, b, c}, shared_scratch(), cpu());
    call_ = Call(dnnl::matmul(matmul), matmul.scratchpad_desc(),
                 {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}});
    description = matmul.impl_info_str();
  }

  void run(const float* a, const float* b, float* c) override {
    call_.bind(0, a);
    call_.bind(1, b);
    call_.bind(2, c);
    call_.run();
  }

 private:
  Call call_;
};

}  // namespace

Op make_gemm(const vae_gemm& shape) {
  if (shape.m < 1 || shape.n < 1 || shape.k < 1) throw std::invalid_argument("a GEMM has an empty extent");
  Op op = std::make_unique<Matmul>(shape);
  op->flops = 2.0 * double(shape.m) * double(shape.n) * double(shape.k);
  return op;
}

}  // namespace onednn
