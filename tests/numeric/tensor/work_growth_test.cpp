// links: vaec_pipeline
// The compiler's work grows roughly in proportion to the program: for a program twice as long it allocates at
// most three times the bytes, while quadratic work would need four times. Bytes are counted instead of time,
// because they are the same on every machine.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>

#include "compiler/pipeline.h"

namespace {
std::atomic<int64_t> allocated = 0;

void* counted(std::size_t size) {
  allocated += static_cast<int64_t>(size);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  allocated += static_cast<int64_t>(size);
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

struct Growing {
  std::string name;
  int length;
  std::function<std::string(int)> text;
  double most = 3;
};

std::string repeated(int count, const std::function<std::string(int)>& one) {
  std::string text;
  for (int i = 0; i < count; ++i) text += one(i);
  return text;
}

std::string in_a_net(const std::string& body) {
  return "var x : real[4]\nvar y : real[4]\nsource s { x = npy(\"x.npy\"); y = npy(\"y.npy\") }\n"
         "encoder q {\n net f(a) {\n" +
         body + "return dense(a, 4)\n }\n y | x ~ Normal(f(x))\n}\nlearn supervised { steps = 1 }\n";
}

std::string variables(int count) {
  return repeated(count, [](int i) { return fmt::format("var x{} : real\n", i); }) + "source s {\n" +
         repeated(count, [](int i) { return fmt::format("x{} = npy(\"x.npy\")\n", i); }) + "}\n";
}

std::vector<Growing> programs() {
  return {
      {"functions_of_functions", 500,
       [](int n) { return in_a_net(repeated(n, [](int) { return "a = sin(a)\n"; })); }},
      {"sums_of_sums", 2000, [](int n) { return in_a_net(repeated(n, [](int) { return "a = a + 1\n"; })); }},
      {"layers", 200,
       [](int n) { return in_a_net(repeated(n, [](int) { return "a = relu(dense(a, 8))\n"; })); }},
      {"transposes", 500,
       [](int n) {
         return in_a_net("a = reshape(a, [2, 2])\n" +
                         repeated(n, [](int) { return "a = transpose(a, [1, 0])\n"; }));
       }},
      {"parts_of_a_concatenation", 1000,
       [](int n) {
         return fmt::format("var x : real[{}]\nvar y : real[4]\n", n) +
                "source s { x = npy(\"x.npy\"); y = npy(\"y.npy\") }\nencoder q { y | x ~ "
                "Normal(dense(concat(" +
                repeated(n, [](int i) { return fmt::format("{}x[{}]", i > 0 ? ", " : "", i); }) +
                "), 4)) }\nlearn supervised { steps = 1 }\n";
       }},
      {"sources", 200,
       [](int n) {
         return "var x : real[4]\nvar y : real[4]\n" +
                repeated(n,
                         [](int i) {
                           return fmt::format("source s{} {{ x = npy(\"x{}.npy\"); y = npy(\"y.npy\") }}\n",
                                              i, i);
                         }) +
                "encoder q { y | x ~ Normal(dense(x, 4)) }\nlearn supervised { steps = 1 }\n";
       }},
      {"players", 100,
       [](int n) {
         return variables(n) +
                repeated(n,
                         [](int i) {
                           return fmt::format("encoder q{} {{ x{} ~ Normal(parameter([]), 1) }}\n", i, i);
                         }) +
                "learn supervised { steps = 1 }\n";
       }},
      {"players_that_draw", 50,
       [](int n) {
         return variables(n) +
                repeated(n,
                         [](int i) {
                           return fmt::format(
                               "var z{0} : real\ndecoder p{0} {{ z{0} ~ Normal(0, 1)\nx{0} | z{0} ~ "
                               "Normal(dense(z{0}, 1)) }}\n"
                               "encoder q{0} {{ z{0} | x{0} ~ Normal(dense(x{0}, 1)) }}\n",
                               i);
                         }) +
                "learn symmetric { steps = 1 }\n";
       }},
      {"variables_of_a_player", 200,
       [](int n) {
         return variables(n) + "decoder p {\n" +
                repeated(
                    n - 1,
                    [](int i) { return fmt::format("x{} | x{} ~ Normal(dense(x{}, 1))\n", i + 1, i, i); }) +
                "}\nlearn symmetric { steps = 1 }\n";
       }},
      {"blank_lines", 20000,
       [](int n) { return std::string(static_cast<size_t>(n), '\n') + in_a_net("a = a + 1\n"); }},
      {"steps_of_a_scan", 50,
       [](int n) {
         return fmt::format("var x : real[{}, 3]\nvar y : real[4]\n", n) +
                "source s { x = npy(\"x.npy\"); y = npy(\"y.npy\") }\n"
                "net cell(h, v) = tanh(dense(concat(h, v), 4))\n"
                "encoder q { y | x ~ Normal(scan(cell, x, init = 0)[-1]) }\nlearn supervised { steps = 1 }\n";
       }},
  };
}

int64_t bytes_for(const std::string& text) {
  const int64_t before = allocated;
  base::SourceSet sources;
  base::Report report(sources);
  const auto checked = vaec::check_model({"long.vae", text, {}}, sources, report);
  EXPECT_TRUE(checked) << base::render_text(report, false).substr(0, 2000);
  if (checked) {
    EXPECT_FALSE(vaec::build_programs(*checked).programs.empty());
  }
  return allocated - before;
}

class Work : public testing::TestWithParam<Growing> {};

TEST_P(Work, grows_with_the_program) {
  const Growing& tested = GetParam();
  bytes_for(tested.text(2));  // so that one-time allocations are not counted
  const int64_t once = bytes_for(tested.text(tested.length)),
                twice = bytes_for(tested.text(2 * tested.length));
  EXPECT_LE(static_cast<double>(twice), tested.most * static_cast<double>(once))
      << "bytes allocated: " << once << " for " << tested.length << ", " << twice << " for twice as many";
}

INSTANTIATE_TEST_SUITE_P(Of, Work, testing::ValuesIn(programs()),
                         [](const testing::TestParamInfo<Growing>& info) { return info.param.name; });

}  // namespace
