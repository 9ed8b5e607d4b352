// links: vaert_core vaert_data vaert_onednn
// The library operations of every backend agree with simple loops in double precision, and oneDNN uses no
// reference kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/core/machine/backend.h"
#include "runtime/onednn/product_sum.h"
#include "tests/numeric/support/backend_under_test.h"
#include "tests/numeric/support/reverse_layers.h"

namespace {

const vae_library* library = nullptr;  // the backend under test

class Backend : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!is_installed(GetParam())) GTEST_SKIP() << "built without " << GetParam();
    library = core::open_backend({.backend = GetParam()});
  }
};
class Gemm : public Backend {};
class Convolution : public Backend {};
std::string name_of(const testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Of, Gemm, testing::ValuesIn(core::backend_names()), name_of);
INSTANTIATE_TEST_SUITE_P(Of, Convolution, testing::ValuesIn(core::backend_names()), name_of);

using Values = std::vector<float>;

Values random_values(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Values values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

/// Runs a prepared call. The result is first filled with other numbers, because a kernel must overwrite it,
/// not add.
Values run(vae_library_op* op, const Values& a, const Values& b, int64_t count) {
  Values c(count, 1e30f);
  EXPECT_EQ(library->run(op, a.data(), b.data(), c.data()), nullptr);
  std::fill(c.begin(), c.end(), -1e30f);
  EXPECT_EQ(library->run(op, a.data(), b.data(), c.data()), nullptr);
  return c;
}

void expect_close(const Values& got, const std::vector<double>& want, double terms, const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - want[i]));
  EXPECT_TRUE(worst <= 2e-6 * std::sqrt(terms) + 1e-6) << what << ": off by " << worst;
}

void check_gemm(const vae_gemm& s) {
  const std::string what = "m" + std::to_string(s.m) + " n" + std::to_string(s.n) + " k" +
                           std::to_string(s.k) + (s.transpose_a ? " T" : " N") + (s.transpose_b ? "T" : "N");
  char error[256] = "";
  vae_library_op* op = library->prepare_gemm(&s, error, sizeof error);
  ASSERT_NE(op, nullptr) << what << ": " << error;
  EXPECT_NE(std::strncmp(library->describe(op), "ref", 3), 0) << what << " is " << library->describe(op);
  EXPECT_EQ(library->flops(op), 2.0 * double(s.m * s.n * s.k));
  const Values a = random_values(s.m * s.k, 1), b = random_values(s.k * s.n, 2);
  std::vector<double> want(s.m * s.n);
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t p = 0; p < s.k; ++p)
      for (int64_t j = 0; j < s.n; ++j)
        want[i * s.n + j] += double(s.transpose_a ? a[p * s.m + i] : a[i * s.k + p]) *
                             double(s.transpose_b ? b[j * s.k + p] : b[p * s.n + j]);
  expect_close(run(op, a, b, s.m * s.n), want, double(s.k), what + " by " + library->describe(op));
  library->release(op);
}

TEST_P(Gemm, agrees_with_naive_loops_for_every_transpose_and_odd_shape) {
  for (int64_t m : {1, 7, 33, 128})
    for (int64_t n : {1, 3, 47, 130})
      for (int64_t k : {1, 64, 131})
        for (int transposes = 0; transposes < 4; ++transposes)
          check_gemm({m, n, k, transposes & 1, transposes >> 1});
}

TEST_P(Gemm, agrees_with_naive_loops_on_layers_of_real_size) {
  for (int64_t batch : {1, 7, 32, 128, 300})
    for (auto [out, in] :
         {std::pair<int64_t, int64_t>{512, 784}, {64, 512}, {512, 64}, {30, 600}, {600, 100}}) {
      check_gemm({batch, out, in, 0, 1});
      check_gemm({batch, in, out, 0, 0});
      check_gemm({out, in, batch, 1, 0});
    }
}

std::string describe(const vae_convolution& s) {
  static const char* const directions[] = {"forward", "backward-data", "backward-weights"};
  return std::string(directions[s.direction]) + " batch " + std::to_string(s.batch) + ", " +
         std::to_string(s.in_channels) + "->" + std::to_string(s.out_channels) + ", kernel " +
         std::to_string(s.kernel_h) + "x" + std::to_string(s.kernel_w) + " stride " +
         std::to_string(s.stride_h) + "x" + std::to_string(s.stride_w) + " padding " +
         std::to_string(s.padding_h) + "x" + std::to_string(s.padding_w) + " on " + std::to_string(s.in_h) +
         "x" + std::to_string(s.in_w);
}

/// Calls visit(source, weight, destination) with the indices of every product in the convolution.
template <class Visit>
void each_product(const vae_convolution& s, Visit visit) {
  for (int64_t n = 0; n < s.batch; ++n)
    for (int64_t oh = 0; oh < s.out_h; ++oh)
      for (int64_t ow = 0; ow < s.out_w; ++ow)
        for (int64_t kh = 0; kh < s.kernel_h; ++kh)
          for (int64_t kw = 0; kw < s.kernel_w; ++kw) {
            const int64_t ih = oh * s.stride_h + kh - s.padding_h, iw = ow * s.stride_w + kw - s.padding_w;
            if (ih < 0 || ih >= s.in_h || iw < 0 || iw >= s.in_w) continue;
            for (int64_t o = 0; o < s.out_channels; ++o)
              for (int64_t i = 0; i < s.in_channels; ++i)
                visit(((n * s.in_h + ih) * s.in_w + iw) * s.in_channels + i,
                      ((o * s.in_channels + i) * s.kernel_h + kh) * s.kernel_w + kw,
                      ((n * s.out_h + oh) * s.out_w + ow) * s.out_channels + o);
          }
}

void check_convolution(vae_convolution s) {
  const int64_t source_count = s.batch * s.in_channels * s.in_h * s.in_w;
  const int64_t weight_count = s.out_channels * s.in_channels * s.kernel_h * s.kernel_w;
  const int64_t destination_count = s.batch * s.out_channels * s.out_h * s.out_w;
  const Values source = random_values(source_count, 3), weights = random_values(weight_count, 4),
               destination = random_values(destination_count, 5);
  std::vector<double> want[3];
  want[VAE_FORWARD].resize(destination_count);
  want[VAE_BACKWARD_DATA].resize(source_count);
  want[VAE_BACKWARD_WEIGHTS].resize(weight_count);
  each_product(s, [&](int64_t x, int64_t w, int64_t y) {
    want[VAE_FORWARD][y] += double(source[x]) * double(weights[w]);
    want[VAE_BACKWARD_DATA][x] += double(destination[y]) * double(weights[w]);
    want[VAE_BACKWARD_WEIGHTS][w] += double(source[x]) * double(destination[y]);
  });
  const double taps = double(s.kernel_h * s.kernel_w);
  const double terms[3] = {taps * double(s.in_channels), taps * double(s.out_channels),
                           double(s.batch * s.out_h * s.out_w)};
  for (int direction = 0; direction < 3; ++direction) {
    s.direction = direction;
    char error[256] = "";
    vae_library_op* op = library->prepare_convolution(&s, error, sizeof error);
    ASSERT_NE(op, nullptr) << describe(s) << ": " << error;
    EXPECT_NE(std::strncmp(library->describe(op), "ref", 3), 0)
        << describe(s) << " is " << library->describe(op);
    const Values& a = direction == VAE_BACKWARD_DATA ? destination : source;
    const Values& b = direction == VAE_BACKWARD_WEIGHTS ? destination : weights;
    expect_close(run(op, a, b, int64_t(want[direction].size())), want[direction], terms[direction],
                 describe(s) + " by " + library->describe(op));
    library->release(op);
  }
}

vae_convolution convolution(int64_t batch, int64_t in_channels, int64_t out_channels, int64_t height,
                            int64_t width, int64_t kernel, int64_t stride, int64_t padding) {
  vae_convolution s{VAE_FORWARD, batch,  in_channels, height, width,  out_channels, 0,
                    0,           kernel, kernel,      stride, stride, padding,      padding};
  s.out_h = (height + 2 * padding - kernel) / stride + 1;
  s.out_w = (width + 2 * padding - kernel) / stride + 1;
  return s;
}

TEST_P(Convolution, agrees_with_naive_loops_for_every_kernel_stride_and_padding) {
  for (int64_t kernel : {1, 2, 3, 4})
    for (int64_t stride : {1, 2, 3})
      for (int64_t padding = 0; padding < kernel; ++padding)
        for (auto [in, out] :
             {std::pair<int64_t, int64_t>{1, 1}, {1, 32}, {32, 1}, {5, 7}, {3, 19}, {19, 3}, {32, 64}})
          check_convolution(convolution(7, in, out, 9, 8, kernel, stride, padding));
}

TEST_P(Convolution, agrees_with_naive_loops_for_one_row) {
  for (auto [in, out] : {std::pair<int64_t, int64_t>{1, 1}, {1, 32}, {33, 1}, {5, 7}, {32, 64}})
    for (int64_t kernel : {1, 2, 3, 4})
      check_convolution(convolution(1, in, out, 10, 13, kernel, 2, 1 % kernel));
}

TEST_P(Convolution, agrees_with_naive_loops_where_the_axes_differ) {
  check_convolution({VAE_FORWARD, 2, 5, 9, 12, 6, 8, 4, 2, 3, 1, 3, 0, 0});
  check_convolution({VAE_FORWARD, 2, 1, 9, 12, 17, 9, 5, 3, 4, 1, 2, 1, 0});
  check_convolution({VAE_FORWARD, 2, 17, 9, 12, 1, 9, 5, 3, 4, 1, 2, 1, 0});
}

TEST_P(Convolution, agrees_with_naive_loops_where_one_window_is_the_whole_input) {
  check_convolution({VAE_FORWARD, 3, 4, 3, 5, 6, 1, 1, 3, 5, 1, 1, 0, 0});  // transposes the smaller batch
  check_convolution({VAE_FORWARD, 9, 4, 3, 5, 6, 1, 1, 3, 5, 1, 1, 0, 0});  // transposes the weights
  check_convolution({VAE_FORWARD, 9, 1, 3, 5, 6, 1, 1, 3, 5, 1, 1, 0, 0});
  check_convolution({VAE_FORWARD, 9, 7, 1, 1, 6, 1, 1, 1, 1, 1, 1, 0, 0});
}

TEST_P(Convolution, agrees_with_naive_loops_where_the_far_padding_differs) {
  // As with "same" padding of an even kernel, and with output padding of a transposed convolution.
  check_convolution({VAE_FORWARD, 3, 16, 8, 8, 32, 8, 8, 2, 2, 1, 1, 0, 0});
  check_convolution({VAE_FORWARD, 3, 1, 8, 8, 32, 8, 8, 2, 2, 1, 1, 0, 0});
  check_convolution({VAE_FORWARD, 3, 16, 8, 8, 1, 8, 8, 4, 4, 1, 1, 1, 1});
}

TEST_P(Convolution, agrees_with_naive_loops_on_the_layers_of_reverse) {
  for (const vae_convolution& layer : reverse_layers(2)) check_convolution(layer);
}

TEST_P(Convolution, agrees_with_naive_loops_on_many_images) {
  for (int64_t stride : {1, 2, 3})
    for (auto [in, out] : {std::pair<int64_t, int64_t>{16, 16}, {32, 48}, {48, 32}, {64, 80}, {19, 64}}) {
      check_convolution(convolution(33, in, out, 9, 7, 3, stride, 1));
      check_convolution(convolution(67, in, out, 6, 5, 2, stride, 0));
    }
  // Windows that do not cover all places, a far padding, and axes that differ.
  check_convolution({VAE_FORWARD, 70, 32, 10, 9, 32, 3, 3, 2, 2, 4, 3, 0, 0});
  check_convolution({VAE_FORWARD, 70, 32, 6, 6, 48, 6, 6, 2, 2, 1, 1, 0, 0});
  check_convolution({VAE_FORWARD, 35, 32, 9, 12, 64, 9, 4, 1, 5, 1, 3, 0, 1});
  check_convolution({VAE_FORWARD, 35, 32, 5, 5, 32, 5, 5, 3, 9, 2, 2, 3, 6});
}

TEST(OneDnn, sums_products_of_many_images_where_the_processor_has_wide_vectors) {
  library = vaert_onednn();
  if (!onednn::sums_products()) GTEST_SKIP() << "no libxsmm, or no AVX-512";
  vae_convolution layer = convolution(128, 32, 64, 27, 27, 3, 2, 0);
  for (const char* kernel : {"image blocks, libxsmm", "image blocks, libxsmm", "rows, libxsmm"}) {
    vae_library_op* op = library->prepare_convolution(&layer, nullptr, 0);
    ASSERT_NE(op, nullptr);
    EXPECT_STREQ(library->describe(op), kernel) << describe(layer);
    library->release(op);
    ++layer.direction;
  }
}

TEST(OneDnn, has_no_reference_kernel_on_the_layers_of_reverse) {
  library = vaert_onednn();
  for (int64_t batch : {1, 32, 128, 1024})
    for (vae_convolution layer : reverse_layers(batch))
      for (int direction = 0; direction < 3; ++direction) {
        layer.direction = direction;
        char error[256] = "";
        vae_library_op* op = library->prepare_convolution(&layer, error, sizeof error);
        ASSERT_NE(op, nullptr) << describe(layer) << ": " << error;
        EXPECT_NE(std::strncmp(library->describe(op), "ref", 3), 0) << describe(layer);
        library->release(op);
      }
}

TEST_P(Convolution, refuses_sides_that_do_not_fit) {
  vae_convolution s = convolution(2, 3, 4, 9, 9, 3, 1, 0);
  s.out_h = 3;
  char error[256] = "";
  EXPECT_EQ(library->prepare_convolution(&s, error, sizeof error), nullptr);
  EXPECT_STREQ(error, "the two sides of a convolution do not fit together");
}

TEST_P(Gemm, refuses_an_empty_extent) {
  const vae_gemm s{0, 3, 4, 0, 0};
  char error[8] = "";
  EXPECT_EQ(library->prepare_gemm(&s, error, sizeof error), nullptr);
  EXPECT_STREQ(error, "a GEMM ");
}

TEST_P(Gemm, gives_the_same_bits_whenever_it_is_prepared_and_run_anew) {
  for (const vae_gemm s :
       {vae_gemm{128, 512, 784, 0, 1}, {128, 784, 512, 0, 0}, {512, 784, 128, 1, 0}, {64, 512, 128, 1, 0}}) {
    const Values a = random_values(s.m * s.k, 6), b = random_values(s.k * s.n, 7);
    Values first;
    for (int time = 0; time < 5; ++time) {
      vae_library_op* op = library->prepare_gemm(&s, nullptr, 0);
      ASSERT_NE(op, nullptr);
      const Values result = run(op, a, b, s.m * s.n);
      if (time == 0) first = result;
      EXPECT_EQ(std::memcmp(first.data(), result.data(), result.size() * sizeof(float)), 0)
          << library->describe(op);
      library->release(op);
    }
  }
}

TEST_P(Convolution, gives_the_same_bits_whenever_it_is_prepared_and_run_anew) {
  for (vae_convolution layer : reverse_layers(16))
    for (int direction = 0; direction < 3; ++direction) {
      layer.direction = direction;
      const int64_t source = layer.batch * layer.in_channels * layer.in_h * layer.in_w;
      const int64_t weights = layer.out_channels * layer.in_channels * layer.kernel_h * layer.kernel_w;
      const int64_t destination = layer.batch * layer.out_channels * layer.out_h * layer.out_w;
      const Values a = random_values(direction == VAE_BACKWARD_DATA ? destination : source, 6);
      const Values b = random_values(direction == VAE_BACKWARD_WEIGHTS ? destination : weights, 7);
      const int64_t count[] = {destination, source, weights};
      Values first;
      for (int time = 0; time < 3; ++time) {
        vae_library_op* op = library->prepare_convolution(&layer, nullptr, 0);
        ASSERT_NE(op, nullptr);
        const Values result = run(op, a, b, count[direction]);
        if (time == 0) first = result;
        EXPECT_EQ(std::memcmp(first.data(), result.data(), result.size() * sizeof(float)), 0)
            << describe(layer);
        library->release(op);
      }
    }
}

}  // namespace
