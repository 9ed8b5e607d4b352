#include <algorithm>

#include "runtime/onednn/bf16.h"
#include "runtime/onednn/onednn_version.h"
#include "runtime/onednn/primitive.h"

namespace onednn {
namespace {

using Tag = dnnl::memory::format_tag;
using dnnl::memory;

/// Copies both operands, rounded, in the same layout. The copies have half the bytes.
class RoundedMatmul final : public vae_library_op {
 public:
  explicit RoundedMatmul(const vae_gemm& s) {
    const Tag left = s.transpose_a ? Tag::ba : Tag::ab, right = s.transpose_b ? Tag::ba : Tag::ab;
    const memory::dims a_dims{s.m, s.k}, b_dims{s.k, s.n};
    const memory a({a_dims, memory::data_type::bf16, left}, cpu());
    const memory b({b_dims, memory::data_type::bf16, right}, cpu());
    const memory::desc c = plain({s.m, s.n}, Tag::ab);
    const auto matmul = descriptor_of<dnnl::matmul>(cpu(), shared_scratch(), a.get_desc(), b.get_desc(), c);
    call_ = Call(dnnl::matmul(matmul), matmul.scratchpad_desc(),
                 {{DNNL_ARG_SRC, a.get_desc()}, {DNNL_ARG_WEIGHTS, b.get_desc()}, {DNNL_ARG_DST, c}});
    call_.bind(0, a);
    call_.bind(1, b);
    round_a_ = make_reorder(plain(a_dims, left), a.get_desc());
    round_b_ = make_reorder(plain(b_dims, right), b.get_desc());
    round_a_.bind(1, a);
    round_b_.bind(1, b);
    description = matmul.impl_info_str();
  }

  void run(const float* a, const float* b, float* c) override {
    round_a_.bind(0, a);
    round_a_.run();
    round_b_.bind(0, b);
    round_b_.run();
    call_.bind(2, c);
    call_.run();
  }

 private:
  Call call_, round_a_, round_b_;
};

}  // namespace

bool multiplies_bf16() {
  constexpr auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & needed) == needed;
}

// From measurements (tests/bench/library_bench.cpp): for smaller shapes rounding costs more time than it
// saves.
bool is_worth_rounding(const vae_gemm& s) {
  return std::min({s.m, s.n, s.k}) >= 20 && s.m * s.n * s.k >= 125'000;
}

Op make_bf16_gemm(const vae_gemm& shape) { return std::make_unique<RoundedMatmul>(shape); }

}  // namespace onednn
