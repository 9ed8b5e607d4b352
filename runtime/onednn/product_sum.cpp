#include "runtime/onednn/product_sum.h"

#include <stdexcept>

#ifdef VAERT_LIBXSMM
#include <libxsmm.h>

#include <cstdlib>
#include <limits>
#include <oneapi/dnnl/dnnl.hpp>

namespace onednn {
namespace {

/// libxsmm sets the environment variable OMP_PROC_BIND, which would affect other OpenMP libraries and child
/// processes. At the end of the process libxsmm also closes standard input, so this library must not be
/// closed earlier.
void begin_libxsmm() {
  const bool was_set = std::getenv("OMP_PROC_BIND") != nullptr;
  libxsmm_init();
  if (!was_set) unsetenv("OMP_PROC_BIND");
}

/// Vectors here may be no wider than those that oneDNN may use (DNNL_MAX_CPU_ISA). A system may also forbid
/// programs to write code and run it.
bool has_wide_vectors() {
  begin_libxsmm();
  constexpr auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  return libxsmm_get_target_archid() >= LIBXSMM_X86_AVX512_CORE &&
         (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & needed) == needed &&
         libxsmm_smmdispatch_reducebatch_addr(16, 1, 1, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                              nullptr);
}

libxsmm_blasint extent(int64_t value) {
  if (value < 1 || value > std::numeric_limits<libxsmm_blasint>::max())
    throw std::runtime_error("libxsmm has no product of such an extent");
  return static_cast<libxsmm_blasint>(value);
}

/// The generated code stores distances, in bytes, as 32-bit numbers.
void check_reach(int64_t places, int64_t step) {
  if (places * step >= int64_t{1} << 29) throw std::runtime_error("libxsmm does not reach so far");
}

}  // namespace

// libxsmm counts by columns: its columns are the rows here, and the matrices are its first operand.
ProductSum::ProductSum(const ProductSumShape& s) {
  const libxsmm_blasint matrix_step = extent(s.matrix_step), row_step = extent(s.row_step),
                        out_step = extent(s.out_step);
  check_reach(s.transposed ? s.depth : s.rows, s.row_step);
  check_reach(s.rows, s.out_step);
  check_reach(s.depth, s.matrix_step);
  const float alpha = 1, beta = s.adds ? 1.0f : 0.0f;
  const int flags = s.transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
  code_ =
      libxsmm_smmdispatch_reducebatch_addr(extent(s.outputs), extent(s.rows), extent(s.depth), &matrix_step,
                                           &row_step, &out_step, &alpha, &beta, &flags, nullptr);
  if (!code_) throw std::runtime_error("libxsmm has no code for a product");
}

bool sums_products() {
  static const bool result = has_wide_vectors();
  return result;
}

}  // namespace onednn
#else
namespace onednn {

ProductSum::ProductSum(const ProductSumShape&) { throw std::runtime_error("built without libxsmm"); }

bool sums_products() { return false; }

}  // namespace onednn
#endif
