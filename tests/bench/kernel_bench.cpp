// links: lower
// Processor time per element, in nanoseconds, of typical loops at the sizes of `digits`: batch 128, 784
// pixels. One thread; the best of several runs.
#include <fmt/format.h>

#include <ctime>

#include "tests/numeric/support/loop_runner.h"

namespace {
using loop_runner::Buffers;
using loop_runner::LoopBuilder;
using semantics::Op;
using tensor::Combine;
using tensor::Extent;

constexpr int64_t rows = 128;
constexpr int64_t n = 784;
const Extent batch{1, 0};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void report(const char* name, const LoopBuilder& builder, int buffer_count, int64_t elements = rows * n) {
  const double start = processor_seconds();
  const lower::CompiledLoops compiled({builder.loop()});
  const double compiling = processor_seconds() - start;
  Buffers buffers;
  for (int b = 0; b < buffer_count; ++b) {
    buffers.emplace_back(static_cast<size_t>(elements));
    for (size_t i = 0; i < buffers.back().size(); ++i)
      buffers.back()[i] = static_cast<float>(i % 101) * 0.05F - 2;
  }
  double best = 1e9;
  for (int attempt = 0; attempt < 30; ++attempt) {
    const double before = processor_seconds();
    for (int repeat = 0; repeat < 5; ++repeat) loop_runner::run(compiled, 0, buffers, rows);
    best = std::min(best, (processor_seconds() - before) / 5);
  }
  fmt::print("{:<44}{:8.3f} ns/element   compiled in {:.1f} ms\n", name,
             1e9 * best / static_cast<double>(elements), 1e3 * compiling);
}

}  // namespace

int main() {
  {
    LoopBuilder b({batch, {n}}, 2);
    b.store(b.apply(Op::add, b.load(0, {n, 1}), b.load(1, {n, 1})), 2, {n, 1});
    report("add", b, 3);
  }
  {
    LoopBuilder b({batch, {n}}, 2);
    b.store(b.apply(Op::relu, b.apply(Op::add, b.load(0, {n, 1}), b.load(1, {0, 1}))), 2, {n, 1});
    report("bias and relu", b, 3);
  }
  for (const Op op : {Op::exp, Op::log, Op::tanh, Op::sigmoid, Op::softplus, Op::erf}) {
    LoopBuilder b({batch, {n}}, 2);
    b.store(b.apply(op, b.load(0, {n, 1})), 1, {n, 1});
    report(semantics::info(op).name, b, 2);
  }
  {
    LoopBuilder b({batch, {n}}, 2);
    b.store(b.apply(Op::uniform, -1, -1, -1, 3), 0, {n, 1});
    report("uniform", b, 1);
  }
  {
    LoopBuilder b({batch, {n}}, 2);
    b.store(b.apply(Op::normal, -1, -1, -1, 3), 0, {n, 1});
    report("normal", b, 1);
  }
  {
    LoopBuilder b({batch, {n}}, 2);
    const int logit = b.apply(Op::add, b.load(0, {n, 1}), b.load(1, {0, 1}));
    const int draw = b.apply(Op::uniform, -1, -1, -1, 3);
    b.store(b.apply(Op::less, draw, b.apply(Op::sigmoid, logit)), 2, {n, 1});
    report("bias, sigmoid, Philox, compare", b, 3);
  }
  {
    // log-density of a row: x l - softplus(l); its gradient: x - sigmoid(l)
    LoopBuilder b({batch, {n}}, 1);
    const int x = b.load(0, {n, 1});
    const int logit = b.apply(Op::add, b.load(1, {n, 1}), b.load(2, {0, 1}));
    b.store(b.apply(Op::subtract, b.apply(Op::multiply, x, logit), b.apply(Op::softplus, logit)), 3, {1, 0},
            Combine::sum);
    b.store(b.apply(Op::subtract, x, b.apply(Op::sigmoid, logit)), 4, {n, 1});
    report("log-density by row with its gradient", b, 5);
  }
  for (const int64_t channels : {32, 64}) {
    constexpr int64_t positions = 784;
    LoopBuilder b({batch, {positions}, {channels}}, 3);
    const std::vector<int64_t> strides = {positions * channels, channels, 1};
    b.store(b.apply(Op::tanh, b.apply(Op::add, b.load(0, strides), b.load(1, {0, 0, 1}))), 2, strides);
    report(fmt::format("tanh of {} channels with bias", channels).c_str(), b, 3, rows * positions * channels);
  }
  {
    LoopBuilder b({{n}, batch}, 1);
    b.store(b.load(0, {1, n}), 1, {1, 0}, Combine::sum);
    report("column sums", b, 2);
  }
  {
    LoopBuilder b({batch, {n}}, 1);
    b.store(b.load(0, {n, 1}), 1, {1, 0}, Combine::sum);
    report("row sums", b, 2);
  }
  return 0;
}
