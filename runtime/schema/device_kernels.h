// The parameters of each kernel that a GPU runs, in order. The compiler emits kernels with these parameters,
// the runtime launches them with values; runtime/image.md says what each kernel does. `As<T>` is what one
// side keeps of a parameter of type T. The runtime keeps its value, an Argument<T>.
#pragma once
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

namespace schema {

/// The value of a parameter. It cannot be left out, and only a value that needs no narrowing fits.
template <class T>
class Argument {
 public:
  template <class Value>
    requires requires(Value value) { T{value}; }
  Argument(Value value) : value_{value} {}
  /// For the driver, which copies it when the kernel is launched.
  const void* place() const { return static_cast<const void*>(&value_); }
  T value() const { return value_; }

 private:
  T value_;
};

// `bytes` of a kernel: how many it reads and writes, if its parameters say that.

/// Sets the clock so that draws belong to this sweep of the step.
template <template <class> class As = Argument>
struct SetSweep {
  static constexpr const char* name = "vae_set_sweep";
  As<uint64_t*> clock;
  As<uint64_t> sweep;

  double bytes() const { return 16.0; }
  static void fields(auto& self, auto&& field) {
    field("clock", self.clock);
    field("sweep", self.sweep);
  }
};

/// Sets the clock so that draws belong to the next sweep.
template <template <class> class As = Argument>
struct NextSweep {
  static constexpr const char* name = "vae_next_sweep";
  As<uint64_t*> clock;

  double bytes() const { return 16.0; }
  static void fields(auto& self, auto&& field) { field("clock", self.clock); }
};

/// Adds the values of the step to the sums, notes the first step with a value that is not finite, and
/// prepares the next step: copies its row of the table to `numbers`, and sets the clock so that draws belong
/// to it. One block.
template <template <class> class As = Argument>
struct EndStep {
  static constexpr const char* name = "vae_end_step";
  As<uint64_t*> clock;
  As<const float* const*> values;
  As<const float* const*> coefficients;
  As<double*> sums;
  As<int64_t*> bad;
  As<int64_t> count;
  As<const float*> table;
  As<float*> numbers;
  As<int64_t> width;

  double bytes() const {
    return 48.0 * static_cast<double>(count.value()) + 8.0 * static_cast<double>(width.value());
  }
  static void fields(auto& self, auto&& field) {
    field("clock", self.clock);
    field("values", self.values);
    field("coefficients", self.coefficients);
    field("sums", self.sums);
    field("bad", self.bad);
    field("count", self.count);
    field("table", self.table);
    field("numbers", self.numbers);
    field("width", self.width);
  }
};

/// One block for each row r. Copies to row r of the batch the row that is drawn for its place, `place` + r.
template <template <class> class As = Argument>
struct GatherRows {
  static constexpr const char* name = "vae_gather";
  As<const uint64_t*> clock;
  As<uint32_t> site;
  As<uint32_t> place;
  As<const float*> data;
  As<int64_t> rows;
  As<int64_t> width;
  As<float*> to;

  static void fields(auto& self, auto&& field) {
    field("clock", self.clock);
    field("site", self.site);
    field("place", self.place);
    field("data", self.data);
    field("rows", self.rows);
    field("width", self.width);
    field("to", self.to);
  }
};

/// to += factor * from.
template <template <class> class As = Argument>
struct Add {
  static constexpr const char* name = "vae_add";
  As<const float*> from;
  As<float> factor;
  As<float*> to;
  As<int64_t> count;

  double bytes() const { return 12.0 * static_cast<double>(count.value()); }
  static void fields(auto& self, auto&& field) {
    field("from", self.from);
    field("factor", self.factor);
    field("to", self.to);
    field("count", self.count);
  }
};

/// average += share * (parameters - average).
template <template <class> class As = Argument>
struct MoveAverage {
  static constexpr const char* name = "vae_average";
  As<const float*> parameters;
  As<float*> average;
  As<const float*> share;
  As<int64_t> count;

  double bytes() const { return 12.0 * static_cast<double>(count.value()); }
  static void fields(auto& self, auto&& field) {
    field("parameters", self.parameters);
    field("average", self.average);
    field("share", self.share);
    field("count", self.count);
  }
};

/// The kernels that every image has.
template <template <class> class As>
using RuntimeKernels =
    std::tuple<SetSweep<As>, NextSweep<As>, EndStep<As>, GatherRows<As>, Add<As>, MoveAverage<As>>;

/// The parameters of a loop's kernel. The loop says how long each list is.
template <template <class> class As = Argument>
struct LoopKernel {
  std::vector<As<float*>> pointers;  // of the loads, then of the stores; offset included
  std::vector<As<int64_t>> rows;     // the extent of each axis of the space that depends on a batch
  std::vector<As<float>> scalars;    // immediates
  std::vector<As<uint32_t>> sites;   // of the draws
  // If it draws:
  std::optional<As<const uint64_t*>> clock;
  std::optional<As<int64_t>> first;  // number of the draws' first element, as in vae_loop
  // If it reduces:
  std::optional<As<uint32_t>> log_width;  // 2^log_width threads share a kept element
  std::optional<As<double*>> partials;    // [sums][blocks_y][kept]
  std::optional<As<uint32_t*>> counters;  // one for each block in x; zero before and after

  static void fields(auto& self, auto&& field) {
    field("pointers", self.pointers);
    field("rows", self.rows);
    field("scalars", self.scalars);
    field("sites", self.sites);
    field("clock", self.clock);
    field("first", self.first);
    field("log_width", self.log_width);
    field("partials", self.partials);
    field("counters", self.counters);
  }
};

/// Several loops in one kernel: blocks [0, blocks_x * blocks_y) of the grid run the first loop, the blocks
/// after them the second, and so on. The grid has one axis; the blocks of a loop follow each other along x.
template <template <class> class As = Argument>
struct JoinedLoops {
  struct Member {
    As<uint32_t> blocks_x, blocks_y;
    LoopKernel<As> loop;

    static void fields(auto& self, auto&& field) {
      field("blocks_x", self.blocks_x);
      field("blocks_y", self.blocks_y);
      field("loop", self.loop);
    }
  };
  std::vector<Member> members;

  static void fields(auto& self, auto&& field) { field("members", self.members); }
};

template <class Kernel, class Visit>
void each_parameter(Kernel& kernel, const Visit& visit);

namespace detail {
/// One parameter, or all parameters of a part of a kernel.
template <class Field, class Visit>
void visit_field(Field& field, const Visit& visit) {
  if constexpr (requires { Field::fields(field, [](const char*, auto&) {}); })
    each_parameter(field, visit);
  else
    visit(field);
}
}  // namespace detail

/// Calls visit(parameter) for each parameter of the kernel, in order.
template <class Kernel, class Visit>
void each_parameter(Kernel& kernel, const Visit& visit) {
  Kernel::fields(kernel, [&](const char*, auto& field) {
    if constexpr (requires { field.begin(); }) {
      for (auto& parameter : field) detail::visit_field(parameter, visit);
    } else if constexpr (requires { field.has_value(); }) {
      if (field) visit(*field);
    } else {
      detail::visit_field(field, visit);
    }
  });
}

}  // namespace schema
