// A tensor program in the form in which it runs: loops and library calls in order, over planned buffers.
// tensor::fuse and tensor::plan_memory make it from a Program. lower/ compiles its loops, and the interpreter
// runs it. Every float has 32 bits. A buffer is dense and row-major over its extents.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "compiler/semantics/graph/graph.h"
#include "compiler/semantics/model.h"
#include "runtime/schema/scratch_layout.h"

namespace tensor {

/// The length of an axis: known when compiling or, if batch >= 0, the number of rows of a batch class, known
/// when running.
struct Extent {
  int64_t size = 1;
  int batch = -1;
  bool operator==(const Extent&) const = default;
};

/// The rows of a batch class: those of a source's batch (-1: the caller's rows). Each row occurs `times`
/// times, and its copies follow each other.
struct BatchClass {
  BatchClass(int source = -1, int64_t times = 1) : source(source), times(times) {}
  int source;
  int64_t times;
  bool operator==(const BatchClass&) const = default;
};
std::string to_string(const std::vector<BatchClass>& batches);  // "[0, 0x8]"

struct Buffer {
  enum class Kind {
    scratch,       // in slot `slot` of the program's memory
    part,          // `offset` elements into buffer `parent`
    parameters,    // all parameters of player `index`, flat
    coefficients,  // one float per source, weight / rows, then others (set by the runtime)
    input,         // the runtime gives it under `name`
    output,        // the runtime reads it under `name`
  };
  std::string name;
  Kind kind = Kind::scratch;
  std::vector<Extent> extents;
  int parent = -1;
  int64_t offset = 0;
  int index = -1;
  int slot = -1;
};

/// The name of the kind, as it stands in the image and in the text of a kernel program.
const char* name_of(Buffer::Kind kind);

/// Element (i0, i1, ...) of the index space touches element offset + sum(i_a * strides[a]) of the buffer.
struct Access {
  int buffer = -1;
  int64_t offset = 0;
  std::vector<int64_t> strides;
};

/// One scalar operation of a loop's body. Which fields count depends on the kind. load: `index` is into
/// Loop::loads. constant: `number`. iota: `index` is an axis of the space. operation: `op` on earlier
/// scalars, and `site` if it is a random draw.
struct Scalar {
  enum class Kind { load, constant, iota, operation } kind = Kind::operation;
  semantics::Op op = semantics::Op::constant;  // the kind `operation`: pointwise or random
  std::array<int, 3> inputs = {-1, -1, -1};
  int index = -1;
  double number = 0;
  uint32_t site = 0;
};

enum class Combine { none, sum, max, min };

/// Combine::none: every index of the space stores its scalar. Otherwise the scalars along the reduced axes
/// are combined; the strides of these axes are 0.
struct Store {
  Access access;
  int scalar = -1;
  Combine combine = Combine::none;
};

/// One fused loop over an index space. Axes that are kept come first, then reduced axes. A loop with random
/// draws has no reduced axes. The element number of a draw is its linear index in the space.
struct Loop {
  std::string name;  // what it computes, for profiles
  std::vector<Extent> space;
  int kept = 0;
  std::vector<Access> loads;
  std::vector<Scalar> body;
  std::vector<Store> stores;
};

/// C[m, n] = op(A) op(B), as vae_gemm in runtime/abi.h.
struct Gemm {
  std::string name;
  int a = -1, b = -1, c = -1;
  Extent m, n, k;
  bool transpose_a = false, transpose_b = false;
};

/// As vae_convolution in runtime/abi.h: activations [batch, height, width, channels].
struct Convolution {
  std::string name;
  enum class Direction { forward, backward_data, backward_weights } direction = Direction::forward;
  int a = -1, b = -1, c = -1;
  Extent batch;
  int64_t in_channels = 0, in_h = 0, in_w = 0, out_channels = 0, out_h = 0, out_w = 0;
  int64_t kernel_h = 0, kernel_w = 0, stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0;
};

/// The rows of a data column that this step draws from its source, as floats.
struct Gather {
  int column = -1;  // semantics::ColumnId
  int source = -1;  // semantics::SourceId: all columns of a source take the same rows
  int buffer = -1;
};

/// `to` is the sum over all ranks of their `from`, which each summed over its own rows of the source.
struct SumRanks {
  int source = -1;
  int from = -1, to = -1;
};

/// The optimizer of player `player` changes its parameters by `gradient`, which is flat like the parameters.
struct Update {
  int player = -1;
  int gradient = -1;
};

using Instruction = std::variant<Loop, Gemm, Convolution, Gather, SumRanks, Update>;

struct KernelProgram {
  std::string name;
  std::vector<BatchClass> batches;
  std::vector<Buffer> buffers;
  /// Buffers in one slot are equally large. Slots whose live ranges do not overlap may share memory.
  std::vector<Life> slots;
  std::vector<Instruction> instructions;
};

}  // namespace tensor
