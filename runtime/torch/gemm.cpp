#include <ATen/core/ivalue.h>  // before all that keeps vectors of it: clang wants it complete
#include <ATen/ops/mm.h>

#include <array>
#include <stdexcept>

#include "runtime/torch/library_op.h"
#include "runtime/torch/torch_version.h"

namespace torch_backend {
namespace {

class Gemm final : public vae_library_op {
 public:
  Gemm(const vae_gemm& shape, const Place& place) : shape_(shape), place_(place) {
    description = place.describe("mm");
    flops = 2.0 * double(shape.m) * double(shape.n) * double(shape.k);
  }

  void run(const float* a, const float* b, float* c) override {
    const vae_gemm& s = shape_;
    const at::Tensor left = matrix(a, s.m, s.k, s.transpose_a != 0),
                     right = matrix(b, s.k, s.n, s.transpose_b != 0);
    at::Tensor result = matrix(c, s.m, s.n, false);
    if (place_.bf16)
      multiply_bf16(result, place_.operand(left), place_.operand(right));
    else
      at::mm_out(result, left, right);
  }

 private:
  /// A matrix; if it is transposed, only its strides differ.
  at::Tensor matrix(const float* data, int64_t rows, int64_t columns, bool transposed) const {
    const std::array<int64_t, 2> sizes = {rows, columns},
                                 strides = {transposed ? 1 : columns, transposed ? rows : 1};
    return place_.view(data, sizes, strides);
  }

  vae_gemm shape_;
  Place place_;
};

}  // namespace

Op make_gemm(const vae_gemm& shape, const Place& place) {
  if (shape.m < 1 || shape.n < 1 || shape.k < 1) throw std::invalid_argument("a GEMM has an empty extent");
  return std::make_unique<Gemm>(shape, place);
}

}  // namespace torch_backend
