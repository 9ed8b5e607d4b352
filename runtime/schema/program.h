// A program in the form in which it runs: loops and library calls in order, over planned buffers. Every float
// has 32 bits. A buffer is dense and row-major over its extents. The compiler's programs
// (compiler/tensor/kernel_program.h) have the same parts, but loops with a body; here a loop names its
// kernel.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/schema/fields.h"
#include "runtime/schema/scratch_layout.h"

namespace schema {

/// The length of an axis: known when compiling or, if batch >= 0, the number of rows of a batch class, known
/// when running. As text: the number, or {"batch": c}.
struct Extent {
  int64_t size = 1;
  int batch = -1;
  bool operator==(const Extent&) const = default;

  /// `rows`: the rows of each batch class.
  int64_t length(const std::vector<int64_t>& rows) const {
    return batch < 0 ? size : rows.at(static_cast<size_t>(batch));
  }
  nlohmann::json to_json() const {
    return batch >= 0 ? nlohmann::json{{"batch", batch}} : nlohmann::json(size);
  }
  static Extent from_json(const nlohmann::json& text, const Place& place) {
    Extent extent;
    if (text.is_object())
      read(detail::member(text, "batch", place), extent.batch, {&place, "batch"});
    else
      read(text, extent.size, place);
    if (text.is_object() && extent.batch < 0) throw Malformed(place, "a batch class counts from 0");
    return extent;
  }
};

/// The rows of a batch class: those of a source's batch (-1: as many as the caller asks for). Each row occurs
/// `times` times, and its copies follow each other. As text: the source, or {"source", "times"}.
struct BatchClass {
  BatchClass(int source = -1, int64_t times = 1) : source(source), times(times) {}
  int source;
  int64_t times;
  bool operator==(const BatchClass&) const = default;

  nlohmann::json to_json() const {
    return times == 1 ? nlohmann::json(source) : nlohmann::json{{"source", source}, {"times", times}};
  }
  static BatchClass from_json(const nlohmann::json& text, const Place& place) {
    BatchClass batch;
    if (!text.is_object()) {
      read(text, batch.source, place);
      return batch;
    }
    read(detail::member(text, "source", place), batch.source, {&place, "source"});
    read(detail::member(text, "times", place), batch.times, {&place, "times"});
    return batch;
  }
};

struct Buffer {
  enum class Kind {
    scratch,       // in slot `slot` of the program's memory
    part,          // `offset` elements into buffer `parent`
    parameters,    // all parameters of player `index`, flat; or its averages
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

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("kind", self.kind);
    field("extents", self.extents);
    field("parent", self.parent);
    field("offset", self.offset);
    field("index", self.index);
    field("slot", self.slot);
  }
};

constexpr auto words_of(Buffer::Kind) {
  using Kind = Buffer::Kind;
  return std::array{
      Word<Kind>{Kind::scratch, "scratch"},       Word<Kind>{Kind::part, "part"},
      Word<Kind>{Kind::parameters, "parameters"}, Word<Kind>{Kind::coefficients, "coefficients"},
      Word<Kind>{Kind::input, "input"},           Word<Kind>{Kind::output, "output"}};
}

/// Element (i0, i1, ...) of the index space touches element offset + sum(i_a * strides[a]) of the buffer.
struct Access {
  int buffer = -1;
  int64_t offset = 0;
  std::vector<int64_t> strides;

  static void fields(auto& self, auto&& field) {
    field("buffer", self.buffer);
    field("offset", self.offset);
    field("strides", self.strides);
  }
};

/// A loop, by its kernel. Axes that are kept come first, then reduced axes. `unit`: their product is the
/// number of elements of the kept space in one unit. `accesses`: loads, then stores.
struct Loop {
  static constexpr const char* op = "loop";
  std::string name;  // what it computes, for profiles
  uint32_t kernel = 0;
  uint32_t device_kernel = 0;  // into the image's device_kernels, if it has code for GPUs
  std::vector<Extent> space;
  int kept = 0;
  std::vector<Extent> unit;
  std::vector<Access> accesses;
  std::vector<float> scalars;
  std::vector<uint32_t> sites;

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("kernel", self.kernel);
    field("device_kernel", self.device_kernel);
    field("space", self.space);
    field("kept", self.kept);
    field("unit", self.unit);
    field("accesses", self.accesses);
    field("scalars", self.scalars);
    field("sites", self.sites);
  }
};

/// C[m, n] = op(A) op(B), as vae_gemm in runtime/abi.h.
struct Gemm {
  static constexpr const char* op = "gemm";
  std::string name;
  int a = -1, b = -1, c = -1;
  Extent m, n, k;
  bool transpose_a = false, transpose_b = false;

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("a", self.a);
    field("b", self.b);
    field("c", self.c);
    field("m", self.m);
    field("n", self.n);
    field("k", self.k);
    field("transpose_a", self.transpose_a);
    field("transpose_b", self.transpose_b);
  }
};

/// As vae_convolution in runtime/abi.h: activations [batch, height, width, channels].
struct Convolution {
  static constexpr const char* op = "convolution";
  std::string name;
  enum class Direction { forward, backward_data, backward_weights } direction = Direction::forward;
  int a = -1, b = -1, c = -1;
  Extent batch;
  int64_t in_channels = 0, in_h = 0, in_w = 0, out_channels = 0, out_h = 0, out_w = 0;
  int64_t kernel_h = 0, kernel_w = 0, stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0;

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("direction", self.direction);
    field("a", self.a);
    field("b", self.b);
    field("c", self.c);
    field("batch", self.batch);
    field("in_channels", self.in_channels);
    field("in_h", self.in_h);
    field("in_w", self.in_w);
    field("out_channels", self.out_channels);
    field("out_h", self.out_h);
    field("out_w", self.out_w);
    field("kernel_h", self.kernel_h);
    field("kernel_w", self.kernel_w);
    field("stride_h", self.stride_h);
    field("stride_w", self.stride_w);
    field("padding_h", self.padding_h);
    field("padding_w", self.padding_w);
  }
};

constexpr auto words_of(Convolution::Direction) {
  using Direction = Convolution::Direction;
  return std::array{Word<Direction>{Direction::forward, "forward"},
                    Word<Direction>{Direction::backward_data, "backward_data"},
                    Word<Direction>{Direction::backward_weights, "backward_weights"}};
}

/// The rows of a data column that this step draws from its source, as floats. All columns of a source take
/// the same rows.
struct Gather {
  static constexpr const char* op = "gather";
  int column = -1, source = -1, buffer = -1;

  static void fields(auto& self, auto&& field) {
    field("column", self.column);
    field("source", self.source);
    field("buffer", self.buffer);
  }
};

/// `to` is the sum over all ranks of their `from`, which each summed over its own rows of the source.
struct SumRanks {
  static constexpr const char* op = "sum_ranks";
  int source = -1, from = -1, to = -1;

  static void fields(auto& self, auto&& field) {
    field("source", self.source);
    field("from", self.from);
    field("to", self.to);
  }
};

/// The optimizer of player `player` changes its parameters by `gradient`, which is flat like the parameters.
struct Update {
  static constexpr const char* op = "update";
  int player = -1, gradient = -1;

  static void fields(auto& self, auto&& field) {
    field("player", self.player);
    field("gradient", self.gradient);
  }
};

/// How a GPU runs a program: in another order than the processor, so that loops that do not depend on one
/// another run in one kernel.
struct LaunchPlan {
  std::vector<std::vector<int>> launches;  // instructions, each once; several: loops in one kernel
  std::vector<int> joined;   // by launch: into the image's joined_kernels; -1 if it has one instruction
  std::vector<Life> slots;   // as those of the program, but the live ranges count launches
  std::vector<int> slot_of;  // by buffer; -1 if it is not scratch memory

  static void fields(auto& self, auto&& field) {
    field("launches", self.launches);
    field("joined", self.joined);
    field("slots", self.slots);
    field("slot_of", self.slot_of);
  }
};

template <class LoopKind>
struct ProgramOf {
  using Instruction = std::variant<LoopKind, Gemm, Convolution, Gather, SumRanks, Update>;
  std::string name;
  std::vector<BatchClass> batches;
  std::vector<Buffer> buffers;
  /// Buffers in one slot are equally large. Slots whose live ranges do not overlap may share memory.
  std::vector<Life> slots;
  std::vector<Instruction> instructions;
  std::optional<LaunchPlan> plan = {};  // none: a GPU runs the instructions one by one in this order

  static void fields(auto& self, auto&& field) {
    field("name", self.name);
    field("batches", self.batches);
    field("buffers", self.buffers);
    field("slots", self.slots);
    field("instructions", self.instructions);
    field("plan", self.plan);
  }
};

using Program = ProgramOf<Loop>;
using Instruction = Program::Instruction;

}  // namespace schema
