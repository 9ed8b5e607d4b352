// In: the shape of a GEMM. Out: an operation that rounds its operands to bf16 and sums their products in
// fp32. For shapes for which this is worth it; convolutions have the precision as an argument of their own.
#pragma once
#include "runtime/onednn/library_op.h"

namespace onednn {

/// Whether this processor has instructions for bf16, and the environment (DNNL_MAX_CPU_ISA) allows them.
bool multiplies_bf16();

/// Whether rounding the operands of a GEMM saves more time than it costs.
bool is_worth_rounding(const vae_gemm& shape);

Op make_bf16_gemm(const vae_gemm& shape);

}  // namespace onednn
