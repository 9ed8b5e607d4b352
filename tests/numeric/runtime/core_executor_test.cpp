// The executor on hand-made programs (buffers, loops, GEMM), and the initial values of parameters.
// links: vaert_core
#include "runtime/core/execution/executor.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/core/execution/parameters.h"
#include "runtime/core/execution/philox.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/backend_under_test.h"

namespace core {
namespace {

/// out = scalars[0] * in + site + step, over two axes with strides.
void scale(const vae_loop* loop, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    const int64_t row = i / loop->extents[1], column = i % loop->extents[1];
    const auto at = [&](int access) {
      return loop->pointers[access] + row * loop->strides[2 * access] +
             column * loop->strides[2 * access + 1];
    };
    *at(1) = loop->scalars[0] * *at(0) + static_cast<float>(loop->sites[0] + loop->step);
  }
}
/// Copies in units of 100 elements and adds the step.
void copy(const vae_loop* loop, int64_t begin, int64_t end) {
  const int64_t all = loop->extents[0] * loop->extents[1];
  for (int64_t i = 100 * begin; i < std::min(all, 100 * end); ++i)
    loop->pointers[1][i] = loop->pointers[0][i] + static_cast<float>(loop->step);
}
const vae_kernel kernels[] = {scale, copy};

Extent batch() { return {1, 0}; }

Image image_with(Program program) {
  Image image;
  image.players = {{"p", Role::decoder, 6, {}}};
  image.programs = {std::move(program)};
  image.kernels = kernels;
  image.kernel_count = 2;
  return image;
}

/// y = 3 transpose(x) + 10 + 2 step over [batch, 7], through a scratch buffer.
Program transposing() {
  Program program{"transposing", {-1}, {}, {{0, 1}}, {}};
  program.buffers = {{"x", Buffer::Kind::input, {{7}, batch()}},
                     {"", Buffer::Kind::scratch, {batch(), {7}}, -1, 0, -1, 0},
                     {"y", Buffer::Kind::output, {batch(), {7}}}};
  // The strides are those for 5000 rows.
  program.instructions = {
      Loop{"transpose", 0, 0, {batch(), {7}}, 2, {}, {{0, 0, {1, 5000}}, {1, 0, {7, 1}}}, {3}, {10}},
      Loop{"copy", 1, 0, {batch(), {7}}, 2, {{100}}, {{1, 0, {7, 1}}, {2, 0, {7, 1}}}, {}, {}}};
  return program;
}

std::vector<float> transposed(int threads) {
  const Image image = image_with(transposing());
  Machine machine{backend_under_test(), start_threads(threads, backend_under_test()), nullptr, {}, nullptr};
  const Executor executor(image, image.programs[0], machine, {5000});
  const Executor::Tensor x = executor.input("x"), y = executor.output("y");
  EXPECT_EQ(x.elements, 35000);
  for (int64_t i = 0; i < x.elements; ++i) x.data[i] = static_cast<float>(i);
  executor.run(0, 4, {});
  return {y.data, y.data + y.elements};
}

TEST(Executor, RunsEveryUnitOnceOnAnyNumberOfThreads) {
  const std::vector<float> one = transposed(1);
  for (int64_t row = 0; row < 5000; ++row)
    for (int64_t column = 0; column < 7; ++column)
      ASSERT_EQ(one[static_cast<size_t>(row * 7 + column)],
                3.0f * static_cast<float>(column * 5000 + row) + 10 + 4 + 4);
  EXPECT_EQ(transposed(2), one);
  EXPECT_EQ(transposed(5), one);
}

TEST(Executor, BuffersBeginOnACacheLine) {
  const Image image = image_with(transposing());
  const Machine machine{backend_under_test(), 1, nullptr, {}, nullptr};
  const Executor executor(image, image.programs[0], machine, {3});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(executor.output("y").data) % 64, 0u);
  EXPECT_EQ(Executor::scratch(image.programs[0], {3}), 32);  // 21 floats: two lines
}

TEST(Executor, GemmReadsAPartOfThePlayersParameters) {
  Program program{"gemm", {-1}, {}, {}, {}};
  program.buffers = {{"x", Buffer::Kind::input, {batch(), {2}}},
                     {"", Buffer::Kind::part, {{2}, {2}}, 2, 2},  // a part may come before its parent
                     {"", Buffer::Kind::parameters, {{6}}, -1, 0, 0},
                     {"y", Buffer::Kind::output, {batch(), {2}}}};
  program.instructions = {Gemm{"dense", 0, 1, 3, batch(), {2}, {2}, false, true}};
  const Image image = image_with(program);
  Floats parameters(6);
  for (int64_t i = 0; i < 6; ++i) parameters[i] = static_cast<float>(i);
  const Machine machine{backend_under_test(), 1, nullptr, {parameters.data()}, nullptr};
  const Executor executor(image, image.programs[0], machine, {2});
  const float x[] = {1, 2, -1, 1};
  std::copy(x, x + 4, executor.input("x").data);
  executor.run(0, 0, {});
  // The weight is [[2, 3], [4, 5]], y = x W^T.
  const float expected[] = {8, 14, 1, 1};
  for (int i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(executor.output("y").data[i], expected[i]);
  EXPECT_THROW(executor.output("z"), Failure);
}

Image with_parameters() {
  Image image;
  Player player{"p", Role::decoder, 0, {}};
  const auto add = [&](const char* name, Shape shape, Initial initial) {
    player.parameters.push_back({name, std::move(shape), player.elements, initial});
    player.elements += player.parameters.back().elements();
  };
  add("p.a", {100, 100}, {Initial::Kind::uniform, 0, 0.25});
  add("p.b", {30000}, {Initial::Kind::normal, 0, 2});
  add("p.c", {5, 3, 2}, {Initial::Kind::orthogonal, 0, 2});
  add("p.d", {7}, {Initial::Kind::constant, 1.5, 0});
  image.players = {player};
  return image;
}

TEST(Parameters, BeginAsTheImageSays) {
  const Image image = with_parameters();
  Parameters parameters(image);
  parameters.initialise(image, 3);
  const float* values = parameters.of(0);
  double squares = 0, largest = 0;
  for (int i = 0; i < 10000; ++i) {
    squares += double{values[i]} * values[i];
    largest = std::max(largest, std::fabs(double{values[i]}));
  }
  EXPECT_LE(largest, 0.25);
  EXPECT_GT(largest, 0.249);
  EXPECT_NEAR(squares / 10000, 0.25 * 0.25 / 3, 1e-3);
  squares = 0;
  for (int i = 0; i < 30000; ++i) squares += double{values[10000 + i]} * values[10000 + i];
  EXPECT_NEAR(squares / 30000, 4, 0.15);
  const float* rows = values + 40000;  // five orthogonal rows of six numbers, of length 2
  for (int a = 0; a < 5; ++a)
    for (int b = 0; b < 5; ++b) {
      double dot = 0;
      for (int i = 0; i < 6; ++i) dot += double{rows[6 * a + i]} * rows[6 * b + i];
      EXPECT_NEAR(dot, a == b ? 4 : 0, 1e-5);
    }
  EXPECT_EQ(values[40030], 1.5f);
}

TEST(Parameters, DependOnTheSeedAlone) {
  const Image image = with_parameters();
  Parameters first(image), again(image), other(image);
  first.initialise(image, 3);
  again.initialise(image, 3);
  other.initialise(image, 4);
  EXPECT_TRUE(std::equal(first.of(0), first.of(0) + 40037, again.of(0)));
  EXPECT_NE(first.of(0)[0], other.of(0)[0]);
}

}  // namespace
}  // namespace core
