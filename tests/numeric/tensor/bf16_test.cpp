// links: vaert_core vaert_data vaert_onednn
// Compares the library operations in bf16 with those in fp32. If bf16 can represent the operands exactly, the
// results are equal. For other operands, the difference is no larger than rounding the operands explains.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "tests/numeric/support/reverse_layers.h"

namespace {

using Values = std::vector<float>;

class Bf16 : public testing::Test {
 protected:
  void SetUp() override {
    if (!rounded_) GTEST_SKIP() << "this processor has no instructions for bf16";
  }

  const vae_library* whole_ = vaert_onednn();
  const vae_library* rounded_ = vaert_onednn_bf16();

  /// How many of the compared calls rounded their operands.
  int roundings_ = 0;

  static Values run(const vae_library* library, vae_library_op* op, const Values& a, const Values& b,
                    size_t count) {
    Values c(count, 1e30f);
    EXPECT_EQ(library->run(op, a.data(), b.data(), c.data()), nullptr);
    std::fill(c.begin(), c.end(), -1e30f);
    EXPECT_EQ(library->run(op, a.data(), b.data(), c.data()), nullptr);
    return c;
  }

  static double distance(const Values& got, const Values& want) {
    double squares = 0, of_want = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      squares += std::pow(double(got[i]) - double(want[i]), 2);
      of_want += std::pow(double(want[i]), 2);
    }
    return std::sqrt(squares / of_want);
  }

  static Values uniform(int64_t count, uint32_t seed, bool representable) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> real(-1, 1);
    std::uniform_int_distribution<int> whole(-255, 255);  // numbers of eight bits
    Values values(static_cast<size_t>(count));
    for (float& value : values) value = representable ? float(whole(generator)) / 256 : real(generator);
    return values;
  }

  template <class Shape>
  void compare(vae_library_op* (*vae_library::*prepare)(const Shape*, char*, size_t), const Shape& shape,
               int64_t a, int64_t b, int64_t c, const std::string& what) {
    char error[256] = "";
    vae_library_op* exact = (whole_->*prepare)(&shape, error, sizeof error);
    ASSERT_NE(exact, nullptr) << what << ": " << error;
    vae_library_op* op = (rounded_->*prepare)(&shape, error, sizeof error);
    ASSERT_NE(op, nullptr) << what << ": " << error;
    const std::string by = rounded_->describe(op);
    EXPECT_NE(by.rfind("ref", 0), 0u) << what << " is " << by;
    EXPECT_EQ(rounded_->flops(op), whole_->flops(exact)) << what;
    const bool rounds = by.find("bf16") != std::string::npos;
    roundings_ += rounds;
    for (const bool representable : {true, false}) {
      const Values left = uniform(a, 1, representable), right = uniform(b, 2, representable);
      const auto count = static_cast<size_t>(c);
      const double off =
          distance(run(rounded_, op, left, right, count), run(whole_, exact, left, right, count));
      EXPECT_LT(off, representable ? 1e-6 : 0x1p-8) << what << " by " << by;
      EXPECT_EQ(off > 1e-4, rounds && !representable) << what << " by " << by << " is off by " << off;
    }
    whole_->release(exact);
    rounded_->release(op);
  }

  void compare_gemm(const vae_gemm& s) {
    compare(&vae_library::prepare_gemm, s, s.m * s.k, s.k * s.n, s.m * s.n,
            "m" + std::to_string(s.m) + " n" + std::to_string(s.n) + " k" + std::to_string(s.k) +
                (s.transpose_a ? " T" : " N") + (s.transpose_b ? "T" : "N"));
  }

  void compare_convolution(vae_convolution s) {
    const int64_t source = s.batch * s.in_channels * s.in_h * s.in_w;
    const int64_t weights = s.out_channels * s.in_channels * s.kernel_h * s.kernel_w;
    const int64_t destination = s.batch * s.out_channels * s.out_h * s.out_w;
    const int64_t counts[3][3] = {
        {source, weights, destination}, {destination, weights, source}, {source, destination, weights}};
    for (s.direction = 0; s.direction < 3; ++s.direction) {
      const int64_t* n = counts[s.direction];
      compare(&vae_library::prepare_convolution, s, n[0], n[1], n[2],
              "direction " + std::to_string(s.direction) + ", " + std::to_string(s.in_channels) + " -> " +
                  std::to_string(s.out_channels) + ", kernel " + std::to_string(s.kernel_h) + "x" +
                  std::to_string(s.kernel_w) + "/" + std::to_string(s.stride_h) + " on " +
                  std::to_string(s.in_h) + "x" + std::to_string(s.in_w));
    }
  }
};

TEST_F(Bf16, is_the_product_of_rounded_operands_for_every_transpose_and_odd_shape) {
  for (const int64_t m : {1, 33, 128})
    for (const int64_t n : {1, 47, 130})
      for (const int64_t k : {1, 64, 131})
        for (int transposes = 0; transposes < 4; ++transposes)
          compare_gemm({m, n, k, transposes & 1, transposes >> 1});
  EXPECT_GT(roundings_, 0);
}

TEST_F(Bf16, is_the_product_of_rounded_operands_on_layers_of_real_size) {
  for (const int64_t batch : {7, 32, 128})
    for (const auto& [out, in] :
         {std::pair<int64_t, int64_t>{512, 784}, {64, 512}, {512, 64}, {30, 600}, {600, 100}}) {
      compare_gemm({batch, out, in, 0, 1});
      compare_gemm({batch, in, out, 0, 0});
      compare_gemm({out, in, batch, 1, 0});
    }
  EXPECT_GE(roundings_, 30);  // all except those with 7 rows
}

TEST_F(Bf16, is_the_convolution_of_rounded_operands_on_the_layers_of_reverse) {
  for (const vae_convolution& layer : reverse_layers(4)) compare_convolution(layer);
  EXPECT_GE(roundings_, 30);  // all except those with one channel on a side, or one pixel
}

TEST_F(Bf16, is_the_convolution_of_rounded_operands_for_odd_shapes) {
  // The two axes differ, the far padding differs from the near one, and strides leave a rest.
  compare_convolution({VAE_FORWARD, 2, 5, 9, 12, 6, 8, 4, 2, 3, 1, 3, 0, 0});
  compare_convolution({VAE_FORWARD, 2, 17, 9, 12, 19, 9, 5, 3, 4, 1, 2, 1, 0});
  compare_convolution({VAE_FORWARD, 3, 16, 8, 8, 32, 8, 8, 2, 2, 1, 1, 0, 0});
  compare_convolution({VAE_FORWARD, 3, 24, 8, 8, 40, 3, 3, 3, 3, 3, 3, 0, 0});
  // The number of windows is not a multiple of the number that is gathered at once.
  compare_convolution({VAE_FORWARD, 9, 64, 9, 12, 24, 9, 12, 3, 3, 1, 1, 1, 1});
  compare_convolution({VAE_FORWARD, 5, 130, 9, 12, 16, 8, 4, 2, 3, 1, 3, 0, 0});
  compare_convolution({VAE_FORWARD, 7, 48, 8, 8, 32, 8, 8, 4, 4, 1, 1, 1, 1});
  compare_convolution({VAE_FORWARD, 7, 48, 8, 7, 32, 5, 5, 4, 4, 2, 2, 3, 3});
  EXPECT_GT(roundings_, 0);
}

TEST_F(Bf16, gives_the_same_bits_whenever_it_is_prepared_and_run_anew) {
  const vae_gemm s{128, 512, 784, 0, 1};
  const Values a = uniform(s.m * s.k, 6, false), b = uniform(s.k * s.n, 7, false);
  Values first;
  for (int time = 0; time < 5; ++time) {
    vae_library_op* op = rounded_->prepare_gemm(&s, nullptr, 0);
    ASSERT_NE(op, nullptr);
    const Values result = run(rounded_, op, a, b, static_cast<size_t>(s.m * s.n));
    if (time == 0) first = result;
    EXPECT_EQ(std::memcmp(first.data(), result.data(), result.size() * sizeof(float)), 0);
    rounded_->release(op);
  }
}

TEST_F(Bf16, refuses_what_fp32_refuses) {
  const vae_gemm s{0, 3, 4, 0, 0};
  char error[64] = "";
  EXPECT_EQ(rounded_->prepare_gemm(&s, error, sizeof error), nullptr);
  EXPECT_STREQ(error, "a GEMM has an empty extent");
}

}  // namespace
