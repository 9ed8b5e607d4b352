// links: lower vaert_core
// Compiled loops compute what the loop says, also for shapes that do not fill a vector and for any division
// into units.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "runtime/abi.h"
#include "tests/numeric/support/loop_runner.h"

namespace {
using loop_runner::Buffers;
using loop_runner::LoopBuilder;
using semantics::Op;
using tensor::Combine;
using tensor::Extent;

// Named here so that it is linked into the test: kernels call it.
__attribute__((used)) const void* const called_by_kernels = reinterpret_cast<const void*>(&vaert_lgamma);

constexpr int64_t rows = 37;
const Extent batch{1, 0};

std::vector<float> noise(int64_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> spread(-2, 2);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& value : values) value = spread(generator);
  return values;
}

Buffers buffers_of(std::initializer_list<int64_t> sizes) {
  Buffers buffers;
  for (const int64_t size : sizes) buffers.push_back(noise(size, static_cast<unsigned>(buffers.size() + 1)));
  return buffers;
}

/// Compares with direct evaluation. The results must be the same bits for every division into units.
void expect_right(const tensor::Loop& loop, const Buffers& start, int64_t batch_rows = rows) {
  const lower::CompiledLoops compiled({loop});
  Buffers expected = start, whole = start;
  loop_runner::interpret(loop, expected, batch_rows);
  loop_runner::run(compiled, 0, whole, batch_rows);
  for (size_t b = 0; b < start.size(); ++b) {
    for (size_t i = 0; i < start[b].size(); ++i) {
      const double tolerance = 1e-5 * std::max(1.0F, std::abs(expected[b][i]));
      ASSERT_NEAR(whole[b][i], expected[b][i], tolerance) << "buffer " << b << " element " << i;
    }
  }
  for (const int64_t cut : {1, 3}) {
    Buffers divided = start;
    loop_runner::run(compiled, 0, divided, batch_rows, cut);
    ASSERT_EQ(divided, whole) << "by " << cut << " units";
  }
}

TEST(Map, of_contiguous_elements_over_a_batch) {
  LoopBuilder b({batch, {7}, {5}}, 3);
  const int x = b.load(0, {35, 5, 1});
  b.store(b.apply(Op::multiply, b.apply(Op::tanh, x), b.load(1, {35, 5, 1})), 2, {35, 5, 1});
  expect_right(b.loop(), buffers_of({rows * 35, rows * 35, rows * 35}));
  EXPECT_EQ(lower::arrange(b.loop()).is_flat(), true);
}

TEST(Map, of_many_units) {
  LoopBuilder b({{40001}}, 1);
  b.store(b.apply(Op::multiply, b.load(0, {1}), b.constant(0.3)), 1, {1});
  expect_right(b.loop(), buffers_of({40001, 40001}));
}

TEST(Map, with_a_vector_stretched_over_rows) {
  for (const int64_t n : {1, 3, 10, 16, 33, 128}) {
    LoopBuilder b({batch, {n}}, 2);
    b.store(b.apply(Op::add, b.load(0, {n, 1}), b.load(1, {0, 1})), 2, {n, 1});
    expect_right(b.loop(), buffers_of({rows * n, n, rows * n}));
  }
}

TEST(Map, with_a_scalar_per_row) {
  LoopBuilder b({batch, {19}}, 2);
  const int scale = b.apply(Op::exp, b.load(1, {1, 0}));
  b.store(b.apply(Op::multiply, b.load(0, {19, 1}), scale), 2, {19, 1});
  expect_right(b.loop(), buffers_of({rows * 19, rows, rows * 19}));
}

TEST(Map, that_transposes) {
  LoopBuilder b({batch, {5}, {18}}, 3);
  b.store(b.load(0, {90, 1, 5}), 1, {90, 18, 1});
  expect_right(b.loop(), buffers_of({rows * 90, rows * 90}));
}

TEST(Map, of_a_part_in_steps_of_two) {
  LoopBuilder b({{9}, {11}}, 2);
  b.store(b.load(0, {40, 2}, 3), 1, {22, 2});
  expect_right(b.loop(), buffers_of({400, 220}));
}

TEST(Map, of_a_single_element) {
  LoopBuilder b({}, 0);
  b.store(b.apply(Op::multiply, b.load(0, {}), b.constant(3.5)), 1, {});
  expect_right(b.loop(), buffers_of({1, 1}));
}

TEST(Map, that_counts_along_either_axis) {
  for (const int axis : {0, 1}) {
    LoopBuilder b({{6}, {21}}, 2);
    const int hit = b.apply(Op::equal, b.iota(axis), b.load(1, {0, 0}));
    b.store(b.apply(Op::where, hit, b.load(0, {21, 1}), b.iota(axis)), 2, {21, 1});
    Buffers buffers = buffers_of({126, 1, 126});
    buffers[1][0] = 4;
    expect_right(b.loop(), buffers);
  }
}

// Up-sampling into some channels of an image: units can begin anywhere in the rows of four axes.
TEST(Map, of_rows_along_many_axes) {
  for (const int64_t channels : {5, 32}) {
    LoopBuilder b({batch, {7}, {2}, {5}, {3}, {channels}}, 6);
    const int64_t to = channels + 3, line = 15 * to;
    const int x = b.load(0, {35 * channels, 5 * channels, 0, channels, 0, 1});
    b.store(b.apply(Op::add, x, b.iota(3)), 1, {14 * line, 2 * line, line, 3 * to, to, 1});
    expect_right(b.loop(), buffers_of({rows * 35 * channels, rows * 14 * line}));
  }
}

TEST(Map, of_every_comparison_and_choice) {
  LoopBuilder b({{50}}, 1);
  const int x = b.load(0, {1}), y = b.load(1, {1});
  int sum = b.apply(Op::floor, x);
  for (const Op op : {Op::less, Op::less_equal, Op::greater, Op::greater_equal, Op::equal, Op::not_equal,
                      Op::minimum, Op::maximum, Op::modulo, Op::logical_and, Op::logical_or}) {
    sum = b.apply(Op::add, b.apply(Op::multiply, sum, b.constant(0.9)), b.apply(op, x, y));
  }
  sum = b.apply(Op::add, sum, b.apply(Op::logical_not, b.apply(Op::relu, x)));
  b.store(b.apply(Op::power, sum, b.constant(2)), 2, {1});
  expect_right(b.loop(), buffers_of({50, 50, 50}));
}

TEST(RowReduction, sums_and_finds_the_largest) {
  for (const int64_t n : {2, 10, 17, 784}) {
    LoopBuilder b({batch, {n}}, 1);
    const int x = b.load(0, {n, 1});
    b.store(b.apply(Op::softplus, x), 1, {1, 0}, Combine::sum);
    b.store(x, 2, {1, 0}, Combine::max);
    b.store(x, 3, {1, 0}, Combine::min);
    b.store(b.apply(Op::multiply, x, b.load(4, {1, 0})), 5, {n, 1});
    expect_right(b.loop(), buffers_of({rows * n, rows, rows, rows, rows, rows * n}));
    EXPECT_TRUE(n == 2 || lower::arrange(b.loop()).form == lower::Form::row_reduction);
  }
}

TEST(RowReduction, to_one_number_over_a_batch) {
  LoopBuilder b({batch, {13}, {3}}, 0);
  b.store(b.load(0, {39, 3, 1}), 1, {0, 0, 0}, Combine::sum);
  expect_right(b.loop(), buffers_of({rows * 39, 1}));
}

TEST(RowReduction, of_many_numbers_keeps_its_precision) {
  constexpr int64_t n = 3000000;
  LoopBuilder b({{n}}, 0);
  b.store(b.load(0, {1}), 1, {0}, Combine::sum);
  const lower::CompiledLoops compiled({b.loop()});
  Buffers buffers = {std::vector<float>(n, 0.1F), {0}};
  loop_runner::run(compiled, 0, buffers, rows);
  EXPECT_NEAR(buffers[1][0], 0.1F * static_cast<double>(n), 1e-5 * 0.1 * n);
}

TEST(ColumnReduction, sums_over_a_batch) {
  for (const int64_t n : {1, 10, 64, 100, 517}) {
    LoopBuilder b({{n}, batch}, 1);
    b.store(b.load(0, {1, n}), 1, {1, 0}, Combine::sum);
    b.store(b.load(0, {1, n}), 2, {1, 0}, Combine::max);
    expect_right(b.loop(), buffers_of({rows * n, n, n}));
    EXPECT_EQ(n > 1, lower::arrange(b.loop()).form == lower::Form::column_reduction);
  }
}

TEST(ColumnReduction, over_batch_and_positions_while_it_maps) {
  LoopBuilder b({{24}, batch, {30}}, 1);
  const int x = b.load(0, {1, 720, 24});
  const int gradient = b.apply(Op::multiply, x, b.load(1, {1, 720, 24}));
  b.store(gradient, 2, {1, 720, 24});
  b.store(gradient, 3, {1, 0, 0}, Combine::sum);
  expect_right(b.loop(), buffers_of({rows * 720, rows * 720, rows * 720, 24}));
}

TEST(ColumnReduction, for_each_of_an_outer_axis) {
  LoopBuilder b({batch, {21}, {5}}, 2);
  b.store(b.apply(Op::exp, b.load(0, {105, 1, 21})), 1, {21, 1, 0}, Combine::sum);
  expect_right(b.loop(), buffers_of({rows * 105, rows * 21}));
  EXPECT_EQ(lower::arrange(b.loop()).form, lower::Form::column_reduction);
}

TEST(ColumnReduction, of_many_rows_keeps_its_precision) {
  constexpr int64_t many = 400000;
  LoopBuilder b({{3}, batch}, 1);
  b.store(b.load(0, {1, 3}), 1, {1, 0}, Combine::sum);
  b.store(b.load(0, {1, 3}), 2, {1, 0}, Combine::max);
  const lower::CompiledLoops compiled({b.loop()});
  Buffers buffers = {std::vector<float>(3 * many, 0.1F), {0, 0, 0}, {0, 0, 0}};
  loop_runner::run(compiled, 0, buffers, many);
  EXPECT_NEAR(buffers[1][2], 0.1F * static_cast<double>(many), 1e-5 * 0.1 * many);
  EXPECT_EQ(buffers[2][1], 0.1F);
}

// Pooling in channels-last layout: 5 by 3 windows of `high` by `wide` pixels.
TEST(ColumnReduction, of_windows_stays_in_registers) {
  for (const auto& [high, wide] : {std::pair<int64_t, int64_t>{2, 2}, {3, 4}, {2, 5}, {1, 16}}) {
    for (const int64_t channels : {1, 11, 16, 83}) {
      const int64_t pixel = channels, line = 3 * wide * pixel, image = 5 * high * line;
      LoopBuilder b({batch, {5}, {3}, {channels}, {high}, {wide}}, 4);
      const std::vector<int64_t> pixels = {image, high * line, wide * pixel, 1, line, pixel};
      const std::vector<int64_t> windows = {15 * channels, 3 * channels, channels, 1, 0, 0};
      const int x = b.apply(Op::relu, b.apply(Op::add, b.load(0, pixels), b.load(1, {0, 0, 0, 1, 0, 0})));
      b.store(x, 2, pixels);
      b.store(x, 3, windows, Combine::sum);
      b.store(b.apply(Op::add, x, b.iota(2)), 4, windows, Combine::max);
      const int64_t all = rows * image, pooled = rows * 15 * channels;
      expect_right(b.loop(), buffers_of({all, channels, all, pooled, pooled}));
      EXPECT_TRUE(channels == 1 || lower::arrange(b.loop()).register_sums)
          << high << " " << wide << " " << channels;
    }
  }
}

// The gradient of a bias: a sum over all pixels of an image for each channel.
TEST(ColumnReduction, of_short_rows_stays_in_registers) {
  for (const int64_t channels : {11, 64, 65}) {
    LoopBuilder b({batch, {channels}, {7}, {2}, {9}}, 2);
    const std::vector<int64_t> pixels = {126 * channels, 1, 18 * channels, 9 * channels, channels};
    const int x =
        b.apply(Op::multiply, b.load(0, pixels), b.load(1, {63 * channels, 1, 9 * channels, 0, channels}));
    b.store(x, 2, pixels);
    b.store(x, 3, {channels, 1, 0, 0, 0}, Combine::sum);
    const int64_t all = rows * 126 * channels;
    expect_right(b.loop(), buffers_of({all, all / 2, all, rows * channels}));
    EXPECT_EQ(channels <= 64, lower::arrange(b.loop()).register_sums);
  }
}

TEST(ColumnReduction, of_single_elements_shares_a_kernel_among_widths) {
  std::vector<tensor::Loop> loops;
  for (const int64_t width : {5, 6}) {
    LoopBuilder b({{width}, {20}}, 1);
    const int positive = b.apply(Op::exp, b.load(0, {1, width}));
    b.store(b.apply(Op::lgamma, positive), 1, {1, 0}, Combine::sum);
    loops.push_back(b.loop());
  }
  const lower::CompiledLoops compiled(loops);
  EXPECT_EQ(compiled.kernel_count(), 1U);
  for (size_t number = 0; number < loops.size(); ++number) {
    Buffers buffers = buffers_of({120, 8}), expected = buffers;
    loop_runner::interpret(loops[number], expected, rows);
    loop_runner::run(compiled, number, buffers, rows);
    for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(buffers[1][i], expected[1][i], 1e-4) << number << ", " << i;
  }
}

TEST(Reduction, counts_along_the_reduced_axis) {
  // The first index of the largest element: argmax as two loops compute it.
  LoopBuilder b({batch, {11}}, 1);
  const int at_peak = b.apply(Op::greater_equal, b.load(0, {11, 1}), b.load(1, {1, 0}));
  b.store(b.apply(Op::where, at_peak, b.iota(1), b.constant(11)), 2, {1, 0}, Combine::min);
  expect_right(b.loop(), buffers_of({rows * 11, rows, rows}));
}

TEST(Kernels, are_shared_by_loops_that_differ_in_sizes_and_immediates) {
  std::vector<tensor::Loop> loops;
  for (const int64_t n : {17, 35, 5000}) {
    LoopBuilder b({batch, {n}}, 2);
    b.store(b.apply(Op::multiply, b.load(0, {n, 1}), b.constant(0.1 * static_cast<double>(n))), 1, {n, 1});
    loops.push_back(b.loop());
  }
  LoopBuilder single({{999}}, 1);
  single.store(single.apply(Op::multiply, single.load(0, {1}), single.constant(-3)), 1, {1});
  loops.push_back(single.loop());
  const lower::CompiledLoops compiled(loops);
  EXPECT_EQ(compiled.kernel_count(), 1U);
  Buffers buffers = buffers_of({999, 999});
  Buffers expected = buffers;
  loop_runner::interpret(loops[3], expected, rows);
  loop_runner::run(compiled, 3, buffers, rows);
  EXPECT_EQ(buffers, expected);
}

}  // namespace
