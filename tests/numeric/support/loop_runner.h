// Runs a compiled loop as the runtime does. Also evaluates the loop directly, in double, element by element.
#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "compiler/lower/objects/compiled_loops.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/tensor/passes/canonicalise_loops.h"

namespace loop_runner {

using Buffers = std::vector<std::vector<float>>;

inline int64_t length(const tensor::Extent& extent, int64_t rows) {
  return extent.batch < 0 ? extent.size : rows;
}

struct Randomness {
  uint64_t seed = 0, step = 0;
  int64_t first = 0;  // the number of the first element of draws
};

/// The accesses of a loop with actual buffers and a number of rows, in the form that kernels take.
struct Bound {
  Bound(const tensor::Loop& loop, Buffers& buffers, int64_t rows) {
    for (const tensor::Access& access : loop.loads) bind(access, buffers);
    for (const tensor::Store& store : loop.stores) bind(store.access, buffers);
    for (size_t axis = 0; axis < loop.space.size(); ++axis) {
      extents.push_back(length(loop.space[axis], rows));
      (static_cast<int>(axis) < loop.kept ? kept : reduced) *= extents.back();
    }
  }

  std::vector<float*> pointers;
  std::vector<int64_t> extents, strides;
  int64_t kept = 1, reduced = 1;  // numbers of elements of the kept and of the reduced axes

 private:
  void bind(const tensor::Access& access, Buffers& buffers) {
    pointers.push_back(buffers.at(static_cast<size_t>(access.buffer)).data() + access.offset);
    strides.insert(strides.end(), access.strides.begin(), access.strides.end());
  }
};

/// Runs the kernel on ranges of at most `cut` units, one after the other.
inline void run(const lower::CompiledLoops& compiled, size_t number, Buffers& buffers, int64_t rows,
                int64_t cut = 1 << 30, Randomness randomness = {}) {
  const lower::Arrangement& arranged = compiled.arrangement(number);
  Bound bound(arranged.loop, buffers, rows);
  int64_t unit = 1;
  for (const tensor::Extent& extent : arranged.unit()) unit *= length(extent, rows);
  const vae_loop arguments = {bound.pointers.data(),   bound.extents.data(), bound.strides.data(),
                              arranged.scalars.data(), randomness.seed,      randomness.step,
                              arranged.sites.data(),   randomness.first};
  const int64_t units = (bound.kept + unit - 1) / unit;
  for (int64_t begin = 0; begin < units; begin += cut) {
    compiled.kernel(number)(&arguments, begin, std::min(begin + cut, units));
  }
}

/// Evaluates the loop as kernel_program.h defines it. The loop must have no random draws.
inline void interpret(const tensor::Loop& loop, Buffers& buffers, int64_t rows) {
  using tensor::Combine;
  const auto at = [](const tensor::Access& access, const std::vector<int64_t>& index) {
    int64_t place = access.offset;
    for (size_t axis = 0; axis < index.size(); ++axis) place += index[axis] * access.strides[axis];
    return static_cast<size_t>(place);
  };
  std::vector<std::vector<double>> sums;
  for (const tensor::Store& store : loop.stores) {
    const double first = store.combine == Combine::max   ? -INFINITY
                         : store.combine == Combine::min ? INFINITY
                                                         : 0.0;
    sums.emplace_back(buffers.at(static_cast<size_t>(store.access.buffer)).size(), first);
  }
  const Buffers before = buffers;
  std::vector<int64_t> index(loop.space.size(), 0);
  for (bool more = true; more;) {
    std::vector<double> values;
    for (const tensor::Scalar& scalar : loop.body) {
      using Kind = tensor::Scalar::Kind;
      const auto input = [&](size_t k) {
        return scalar.inputs[k] < 0 ? 0.0 : values[static_cast<size_t>(scalar.inputs[k])];
      };
      switch (scalar.kind) {
        case Kind::load: {
          const tensor::Access& access = loop.loads[static_cast<size_t>(scalar.index)];
          values.push_back(before[static_cast<size_t>(access.buffer)].at(at(access, index)));
          break;
        }
        case Kind::constant:
          values.push_back(scalar.number);
          break;
        case Kind::iota:
          values.push_back(static_cast<double>(index[static_cast<size_t>(scalar.index)]));
          break;
        case Kind::operation:
          values.push_back(semantics::apply(scalar.op, input(0), input(1), input(2)));
          break;
      }
    }
    for (size_t s = 0; s < loop.stores.size(); ++s) {
      const tensor::Store& store = loop.stores[s];
      const double value = values[static_cast<size_t>(store.scalar)];
      double& sum = sums[s].at(at(store.access, index));
      sum = store.combine == Combine::sum   ? sum + value
            : store.combine == Combine::max ? std::max(sum, value)
            : store.combine == Combine::min ? std::min(sum, value)
                                            : value;
      buffers[static_cast<size_t>(store.access.buffer)].at(at(store.access, index)) = static_cast<float>(sum);
    }
    more = false;
    for (size_t axis = index.size(); axis-- > 0 && !more;) {
      if (++index[axis] < length(loop.space[axis], rows)) {
        more = true;
      } else {
        index[axis] = 0;
      }
    }
  }
}

/// Builds the body of a loop from its parts.
class LoopBuilder {
 public:
  LoopBuilder(std::vector<tensor::Extent> space, int kept) {
    loop_.name = "test";
    loop_.space = std::move(space);
    loop_.kept = kept;
  }
  int load(int buffer, std::vector<int64_t> strides, int64_t offset = 0) {
    tensor::Scalar scalar{tensor::Scalar::Kind::load};
    scalar.index = static_cast<int>(loop_.loads.size());
    loop_.loads.push_back({buffer, offset, std::move(strides)});
    return push(scalar);
  }
  int constant(double number) {
    tensor::Scalar scalar{tensor::Scalar::Kind::constant};
    scalar.number = number;
    return push(scalar);
  }
  int iota(int axis) {
    tensor::Scalar scalar{tensor::Scalar::Kind::iota};
    scalar.index = axis;
    return push(scalar);
  }
  int apply(semantics::Op op, int a = -1, int b = -1, int c = -1, uint32_t site = 0) {
    tensor::Scalar scalar{tensor::Scalar::Kind::operation, op};
    scalar.inputs = {a, b, c};
    scalar.site = site;
    return push(scalar);
  }
  void store(int scalar, int buffer, std::vector<int64_t> strides,
             tensor::Combine combine = tensor::Combine::none) {
    loop_.stores.push_back({{buffer, 0, std::move(strides)}, scalar, combine});
  }
  /// As the last pass leaves it.
  tensor::Loop loop() const {
    tensor::Loop canonical = loop_;
    tensor::canonicalise(canonical);
    return canonical;
  }

 private:
  int push(const tensor::Scalar& scalar) {
    loop_.body.push_back(scalar);
    return static_cast<int>(loop_.body.size()) - 1;
  }
  tensor::Loop loop_;
};

}  // namespace loop_runner
