#include <algorithm>
#include <stdexcept>

#include "runtime/onednn/bf16.h"
#include "runtime/onednn/library_op.h"
#include "runtime/onednn/onednn_version.h"
#include "runtime/onednn/primitive.h"
#include "runtime/onednn/threads.h"

namespace onednn {
namespace {

using Tag = dnnl::memory::format_tag;

dnnl::matmul::primitive_desc matmul_of(const dnnl::memory::desc& a, const dnnl::memory::desc& b,
                                       const dnnl::memory::desc& c) {
  return descriptor_of<dnnl::matmul>(cpu(), shared_scratch(), a, b, c);
}

/// oneDNN gets the plain layouts: a transposed operand is a pair of strides. The kernel then copies it block
/// by block, which is cheaper than a reorder of the whole operand before the call.
class Matmul final : public vae_library_op {
 public:
  explicit Matmul(const vae_gemm& shape) {
    const auto a = plain({shape.m, shape.k}, shape.transpose_a ? Tag::ba : Tag::ab);
    const auto b = plain({shape.k, shape.n}, shape.transpose_b ? Tag::ba : Tag::ab);
    const auto c = plain({shape.m, shape.n}, Tag::ab);
    const auto matmul = matmul_of(a, b, c);
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

/// Computes C' = B' A' and then reorders it to C. The kernel copies its right operand. Here that is the few
/// rows of a batch instead of all weights.
class TransposedMatmul final : public vae_library_op {
 public:
  explicit TransposedMatmul(const vae_gemm& shape) {
    const auto left = plain({shape.n, shape.k}, shape.transpose_b ? Tag::ab : Tag::ba);
    const auto right = plain({shape.k, shape.m}, shape.transpose_a ? Tag::ab : Tag::ba);
    const auto result = plain({shape.n, shape.m}, Tag::ab);
    const auto matmul = matmul_of(left, right, result);
    call_ = Call(dnnl::matmul(matmul), matmul.scratchpad_desc(),
                 {{DNNL_ARG_SRC, left}, {DNNL_ARG_WEIGHTS, right}, {DNNL_ARG_DST, result}});
    reorder_ = make_reorder(result, plain({shape.n, shape.m}, Tag::ba));
    const dnnl::memory transposed(result, cpu());
    call_.bind(2, transposed);
    reorder_.bind(0, transposed);
    description = std::string("transposed, ") + matmul.impl_info_str();
  }

  void run(const float* a, const float* b, float* c) override {
    call_.bind(0, b);
    call_.bind(1, a);
    call_.run();
    reorder_.bind(1, c);
    reorder_.run();
  }

 private:
  Call call_, reorder_;
};

/// oneDNN's BLAS function, which first copies both operands into panels.
class Sgemm final : public vae_library_op {
 public:
  explicit Sgemm(const vae_gemm& shape) : shape_(shape) { description = "sgemm"; }

  void run(const float* a, const float* b, float* c) override {
    const vae_gemm& s = shape_;
    dnnl_sgemm(s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', s.m, s.n, s.k, 1.0f, a,
               s.transpose_a ? s.m : s.k, b, s.transpose_b ? s.k : s.n, 0.0f, c, s.n);
  }

 private:
  vae_gemm shape_;
};

/// The rules come from measurements (tests/bench/library_bench.cpp) but use only the shape. If each run chose
/// by timing, the last bits of a result would differ from run to run.
Op choose(const vae_gemm& s) {
  const bool nn = !s.transpose_a && !s.transpose_b, nt = !s.transpose_a && s.transpose_b,
             tn = s.transpose_a && !s.transpose_b;
  const bool ragged = s.m % 16 != 0 || s.n % 16 != 0;  // some lanes of oneDNN's matmul would be idle
  // Compares the floats that are moved: by the copy of A and the reorder of C, or by the copy of B.
  if (nt && s.m * s.k + 3 * s.m * s.n < s.n * s.k && s.m >= 16) return std::make_unique<TransposedMatmul>(s);
  // In all other cases matmul is better for the whole step, even if sgemm alone is as fast. With matmul each
  // thread reads only a part of the weights, so the optimizer does not find their cache lines in another
  // core's cache.
  if (nn && ragged && s.m >= 16 && s.m <= 128 && s.n >= 256) return std::make_unique<Sgemm>(s);
  if (tn && ragged && std::min(s.m, s.n) >= 64 && std::max(s.m, s.n) >= 256)
    return std::make_unique<Sgemm>(s);
  // If one side of the result is short, oneDNN's matmul has too few blocks to share among the threads.
  if (tn && std::min(s.m, s.n) <= 64 && std::max(s.m, s.n) >= 256 && s.k >= 64)
    return std::make_unique<Sgemm>(s);
  return std::make_unique<Matmul>(s);
}

}  // namespace

Op make_gemm(const vae_gemm& shape, vae_precision precision) {
  if (shape.m < 1 || shape.n < 1 || shape.k < 1) throw std::invalid_argument("a GEMM has an empty extent");
  const double flops = 2.0 * double(shape.m) * double(shape.n) * double(shape.k);
  const bool alone = flops < flops_for_one_thread;
  const Alone while_prepared(alone);
  Op op = precision == VAE_BF16 && is_worth_rounding(shape) ? make_bf16_gemm(shape) : choose(shape);
  op->flops = flops;
  op->alone = alone;
  return op;
}

}  // namespace onednn
