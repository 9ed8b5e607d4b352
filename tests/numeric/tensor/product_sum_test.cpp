// links: vaert_onednn
// Sums of small products agree with simple loops for extents of every kind and any distance between the rows.
// They write nothing outside of the result.
#include "runtime/onednn/product_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace {

using onednn::ProductSum;
using onednn::ProductSumShape;

struct Sum {
  explicit Sum(const ProductSumShape& shape, int64_t count, std::mt19937& generator)
      : s(shape),
        row_block(s.row_step * (s.transposed ? s.depth : s.rows)),
        matrix_block(s.matrix_step * s.depth),
        rows(draw(row_block * count, generator)),
        matrices(draw(matrix_block * count, generator)),
        count(count) {}

  static std::vector<float> draw(int64_t size, std::mt19937& generator) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(static_cast<size_t>(size));
    for (float& value : values) value = uniform(generator);
    return values;
  }

  double want(int64_t row, int64_t output, float before) const {
    double sum = s.adds ? before : 0;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t d = 0; d < s.depth; ++d) {
        const int64_t place = s.transposed ? d * s.row_step + row : row * s.row_step + d;
        sum += double(rows[i * row_block + place]) *
               double(matrices[i * matrix_block + d * s.matrix_step + output]);
      }
    return sum;
  }

  std::vector<float> run(float before) const {
    std::vector<const float*> matrix_at;
    std::vector<const float*> rows_at;
    for (int64_t i = 0; i < count; ++i) {
      matrix_at.push_back(matrices.data() + i * matrix_block);
      rows_at.push_back(rows.data() + i * row_block);
    }
    std::vector<float> out(static_cast<size_t>((s.rows + 1) * s.out_step), before);
    const ProductSum sum(s);
    sum(matrix_at.data(), rows_at.data(), out.data(), static_cast<unsigned long long>(count));
    return out;
  }

  ProductSumShape s;
  int64_t row_block, matrix_block;
  std::vector<float> rows, matrices;
  int64_t count;
};

void check(const ProductSumShape& s, int64_t count, std::mt19937& generator) {
  constexpr float before = 0.5f;
  const Sum sum(s, count, generator);
  const std::vector<float> out = sum.run(before);
  double worst = 0;
  for (int64_t row = 0; row <= s.rows; ++row)
    for (int64_t output = 0; output < s.out_step; ++output) {
      const bool inside = row < s.rows && output < s.outputs;
      const double want = inside ? sum.want(row, output, before) : double(before);
      worst = std::max(worst, std::abs(out[row * s.out_step + output] - want));
    }
  EXPECT_LE(worst, 4e-6 * std::sqrt(double(count * s.depth)) + 1e-6)
      << s.rows << " rows, depth " << s.depth << ", " << s.outputs << " outputs, " << count << " products"
      << (s.transposed ? ", transposed" : "") << (s.adds ? ", added" : "");
}

TEST(ProductSum, agrees_with_naive_loops) {
  if (!onednn::sums_products()) GTEST_SKIP() << "no libxsmm, or no AVX-512";
  std::mt19937 generator(1);
  const auto up_to = [&](int64_t most) { return std::uniform_int_distribution<int64_t>(1, most)(generator); };
  for (int turn = 0; turn < 400; ++turn) {
    const bool transposed = up_to(2) == 1, adds = up_to(2) == 1;
    const int64_t rows = up_to(40), depth = up_to(100), outputs = 16 * up_to(9);
    check({.rows = rows,
           .depth = depth,
           .outputs = outputs,
           .row_step = (transposed ? rows : depth) + up_to(50) - 1,
           .matrix_step = outputs + 16 * (up_to(3) - 1),
           .out_step = outputs + up_to(60) - 1,
           .transposed = transposed,
           .adds = adds},
          up_to(20), generator);
  }
}

TEST(ProductSum, refuses_what_libxsmm_cannot_count) {
  if (!onednn::sums_products()) GTEST_SKIP() << "no libxsmm, or no AVX-512";
  const int64_t far = int64_t{1} << 31;
  EXPECT_THROW(ProductSum({4, 4, 16, far, 16, 16, false, false}), std::runtime_error);
  EXPECT_THROW(ProductSum({0, 4, 16, 4, 16, 16, false, false}), std::runtime_error);
  const int64_t wide = int64_t{1} << 24;
  EXPECT_NO_THROW(ProductSum({28, 16, 16, wide - 1, 16, wide - 1, false, false}));
  EXPECT_THROW(ProductSum({64, 16, 16, wide - 1, 16, 16, false, false}), std::runtime_error);
  EXPECT_THROW(ProductSum({64, 16, 16, 16, 16, wide - 1, false, false}), std::runtime_error);
}

TEST(ProductSum, leaves_the_environment_as_it_was) {
  const char* const before = std::getenv("OMP_PROC_BIND");
  const std::string was = before ? before : "";
  onednn::sums_products();
  const char* const after = std::getenv("OMP_PROC_BIND");
  EXPECT_EQ(after ? after : "", was);
}

}  // namespace
