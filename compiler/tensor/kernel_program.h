// A tensor program in the form in which it runs: loops and library calls in order, over planned buffers.
// tensor::fuse and tensor::plan_memory make it from a Program. lower/ compiles its loops, and the interpreter
// runs it. All parts but loops are those of runtime/schema/program.h, which the image carries.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "compiler/semantics/graph/graph.h"
#include "compiler/semantics/model.h"
#include "runtime/schema/program.h"

namespace tensor {

using schema::Access;
using schema::BatchClass;
using schema::Buffer;
using schema::Convolution;
using schema::Extent;
using schema::Gather;
using schema::Gemm;
using schema::SumRanks;
using schema::Update;

std::string to_string(const std::vector<BatchClass>& batches);  // "[0, 0x8]"

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

using KernelProgram = schema::ProgramOf<Loop>;
using Instruction = KernelProgram::Instruction;

}  // namespace tensor
