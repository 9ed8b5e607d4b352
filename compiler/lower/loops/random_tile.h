// Philox 4x32-10 (Salmon et al., SC 2011) as vector code, in tiles of 128 draws. In runtime/image.md, element
// i is word (i >> 5) & 3 of counter (i >> 7) * 32 + (i & 31). So one tile is 32 consecutive counters, and all
// their words are used.
#pragma once
#include <array>

#include "compiler/lower/loops/vectors.h"
#include "compiler/semantics/graph/graph.h"
#include "compiler/tensor/kernel_program.h"

namespace lower {

constexpr int64_t tile_size = 128;

/// Whether the scalar is a draw without parameters.
bool is_plain_draw(const tensor::Scalar& scalar);

/// Ten rounds on the counters (c0, c1, c2, c3) with the key (k0, k1); all are i32 lanes.
std::array<Value*, 4> emit_philox(const Vectors& v, std::array<Value*, 4> counter, std::array<Value*, 2> key);

/// Makes a draw of uniform, normal or gumbel from its word. `angle`: for a normal, the word at site |
/// 0x80000000.
Value* emit_draw(const Vectors& v, semantics::Op distribution, Value* word, Value* angle);

/// The module's function `void (float* tile, i64 tile_number, i64 seed, i64 step, i32 site)`, which fills a
/// tile with draws of uniform, normal or gumbel. It is generated at the first call.
llvm::Function* tile_filler(llvm::Module& module, unsigned lanes, semantics::Op distribution);

}  // namespace lower
