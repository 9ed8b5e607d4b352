#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "compiler/semantics/graph/evaluate_numeric.h"
#include "compiler/tensor/interpret.h"
#include "compiler/tensor/philox.h"

namespace tensor {
namespace {

class KernelProgramInterpreter {
 public:
  KernelProgramInterpreter(const KernelProgram& kernel_program, const Inputs& inputs)
      : kernel_program_(kernel_program), inputs_(inputs) {
    // Memory starts as NaN, both slots and buffers without one: a read before any write then shows.
    std::vector<int64_t> sizes(kernel_program.slots.size());
    for (const Buffer& buffer : kernel_program.buffers) {
      if (buffer.slot < 0) continue;
      int64_t& size = sizes[static_cast<size_t>(buffer.slot)];
      size = std::max(size, count(buffer.extents, inputs.rows));
    }
    layout_ = lay_out(kernel_program.slots, sizes);
    scratch_.assign(static_cast<size_t>(layout_.total), NAN);
    own_.resize(kernel_program.buffers.size());
    for (size_t b = 0; b < kernel_program.buffers.size(); ++b) {
      const Buffer& buffer = kernel_program.buffers[b];
      const auto elements = static_cast<size_t>(count(buffer.extents, inputs.rows));
      if ((buffer.kind == Buffer::Kind::scratch && buffer.slot < 0) || buffer.kind == Buffer::Kind::output) {
        own_[b].assign(elements, NAN);
      } else if (buffer.kind == Buffer::Kind::input) {
        own_[b] = inputs.values.at(buffer.name);
      } else if (buffer.kind == Buffer::Kind::parameters) {
        own_[b] = inputs.parameters[static_cast<size_t>(buffer.index)];
      } else if (buffer.kind == Buffer::Kind::coefficients) {
        own_[b] = inputs.coefficients;
      }
    }
  }

  Results run() {
    for (const Instruction& instruction : kernel_program_.instructions) {
      std::visit([&](const auto& specific) { execute(specific); }, instruction);
    }
    for (size_t b = 0; b < kernel_program_.buffers.size(); ++b) {
      if (kernel_program_.buffers[b].kind == Buffer::Kind::output)
        results_.outputs[kernel_program_.buffers[b].name] = own_[b];
    }
    return results_;
  }

 private:
  double* data(int id) {
    const Buffer& buffer = kernel_program_.buffers[static_cast<size_t>(id)];
    if (buffer.kind == Buffer::Kind::part) return data(buffer.parent) + buffer.offset;
    if (buffer.kind == Buffer::Kind::scratch && buffer.slot >= 0)
      return scratch_.data() + layout_.starts[static_cast<size_t>(buffer.slot)];
    return own_[static_cast<size_t>(id)].data();
  }
  int64_t length(const Extent& extent) const { return count({extent}, inputs_.rows); }

  void execute(const Loop& loop) {
    std::vector<int64_t> lengths;
    for (const Extent& extent : loop.space) lengths.push_back(length(extent));
    const auto kept = static_cast<size_t>(loop.kept);
    int64_t outer = 1, inner = 1;
    for (size_t axis = 0; axis < lengths.size(); ++axis) (axis < kept ? outer : inner) *= lengths[axis];
    std::vector<int64_t> index(lengths.size());
    std::vector<double> scalars(loop.body.size());
    for (int64_t o = 0; o < outer; ++o) {
      std::vector<double> sums(loop.stores.size());
      for (int64_t i = 0; i < inner; ++i) {
        int64_t rest = i;
        for (size_t axis = lengths.size(); axis-- > kept; rest /= lengths[axis])
          index[axis] = rest % lengths[axis];
        rest = o;
        for (size_t axis = kept; axis-- > 0; rest /= lengths[axis]) index[axis] = rest % lengths[axis];
        body(loop, index, static_cast<uint64_t>(o), scalars);
        for (size_t s = 0; s < loop.stores.size(); ++s) {
          const Store& store = loop.stores[s];
          const double value = scalars[static_cast<size_t>(store.scalar)];
          double& sum = sums[s];
          switch (store.combine) {
            case Combine::none:
              sum = value;
              break;
            case Combine::sum:
              sum = i == 0 ? value : sum + value;
              break;
            case Combine::max:
              sum = i == 0 ? value : std::max(sum, value);
              break;
            case Combine::min:
              sum = i == 0 ? value : std::min(sum, value);
              break;
          }
          if (store.combine == Combine::none || i + 1 == inner) *element(store.access, index) = sum;
        }
      }
    }
  }

  double* element(const Access& access, const std::vector<int64_t>& index) {
    int64_t at = access.offset;
    for (size_t axis = 0; axis < index.size(); ++axis) at += index[axis] * access.strides[axis];
    return data(access.buffer) + at;
  }

  void body(const Loop& loop, const std::vector<int64_t>& index, uint64_t linear,
            std::vector<double>& scalars) {
    for (size_t s = 0; s < loop.body.size(); ++s) {
      const Scalar& scalar = loop.body[s];
      double operands[3] = {0, 0, 0};
      for (size_t k = 0; k < 3; ++k) {
        if (scalar.inputs[k] >= 0) operands[k] = scalars[static_cast<size_t>(scalar.inputs[k])];
      }
      switch (scalar.kind) {
        case Scalar::Kind::load:
          scalars[s] = *element(loop.loads[static_cast<size_t>(scalar.index)], index);
          break;
        case Scalar::Kind::constant:
          scalars[s] = scalar.number;
          break;
        case Scalar::Kind::iota:
          scalars[s] = static_cast<double>(index[static_cast<size_t>(scalar.index)]);
          break;
        case Scalar::Kind::operation:
          scalars[s] = semantics::info(scalar.op).group == semantics::OpGroup::random
                           ? draw(scalar.op, {inputs_.seed, inputs_.step, scalar.site, linear}, operands[0],
                                  operands[1])
                           : semantics::apply(scalar.op, operands[0], operands[1], operands[2]);
      }
    }
  }

  void execute(const Gemm& gemm) {
    const int64_t m = length(gemm.m), n = length(gemm.n), k = length(gemm.k);
    const double *a = data(gemm.a), *b = data(gemm.b);
    double* c = data(gemm.c);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t d = 0; d < k; ++d)
          sum += (gemm.transpose_a ? a[d * m + i] : a[i * k + d]) *
                 (gemm.transpose_b ? b[j * k + d] : b[d * n + j]);
        c[i * n + j] = sum;
      }
    }
  }
  void execute(const Convolution& conv) {
    convolve(conv, length(conv.batch), data(conv.a), data(conv.b), data(conv.c));
  }
  void execute(const Gather& gather) {
    const Numbers& rows = inputs_.columns.at({gather.column, gather.source});
    std::ranges::copy(rows, data(gather.buffer));
  }
  void execute(const SumRanks& sum) {
    std::copy_n(data(sum.from),
                count(kernel_program_.buffers[static_cast<size_t>(sum.to)].extents, inputs_.rows),
                data(sum.to));
  }
  void execute(const Update& update) {
    const auto elements =
        count(kernel_program_.buffers[static_cast<size_t>(update.gradient)].extents, inputs_.rows);
    const double* gradient = data(update.gradient);
    results_.gradients[update.player].assign(gradient, gradient + elements);
  }

  const KernelProgram& kernel_program_;
  const Inputs& inputs_;
  ScratchLayout layout_;
  Numbers scratch_;
  std::vector<Numbers> own_;
  Results results_;
};

}  // namespace

Results interpret(const KernelProgram& kernel_program, const Inputs& inputs) {
  return KernelProgramInterpreter(kernel_program, inputs).run();
}

}  // namespace tensor
