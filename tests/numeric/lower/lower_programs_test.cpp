// links: vaec_pipeline
// Every compiled loop of the examples' programs computes what the loop says, on positive random numbers.
#include <gtest/gtest.h>

#include <random>

#include "tests/numeric/support/example_programs.h"
#include "tests/numeric/support/loop_runner.h"

namespace {
using loop_runner::Buffers;

constexpr int64_t rows = 3;
constexpr int64_t most_elements = 60000;  // more would take the direct evaluation too long

int64_t elements_of(const std::vector<tensor::Extent>& extents) {
  int64_t product = 1;
  for (const tensor::Extent& extent : extents) product *= loop_runner::length(extent, rows);
  return product;
}

bool draws(const tensor::Loop& loop) {
  for (const tensor::Scalar& scalar : loop.body) {
    if (scalar.kind == tensor::Scalar::Kind::operation &&
        semantics::info(scalar.op).group == semantics::OpGroup::random) {
      return true;
    }
  }
  return false;
}

/// The loop with its own buffers, numbered from 0. Each is as long as in the kernel program.
struct Alone {
  tensor::Loop loop;
  Buffers buffers;
};

Alone isolate(tensor::Loop loop, const tensor::KernelProgram& kernel_program, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> positive(0.05F, 0.95F);
  Alone alone{std::move(loop), {}};
  std::map<int, int> numbers;
  const auto place = [&](tensor::Access& access) {
    const auto [entry, fresh] = numbers.try_emplace(access.buffer, static_cast<int>(alone.buffers.size()));
    if (fresh) {
      const int64_t size = elements_of(kernel_program.buffers[static_cast<size_t>(access.buffer)].extents);
      alone.buffers.emplace_back(static_cast<size_t>(size));
      for (float& value : alone.buffers.back()) value = positive(generator);
    }
    access.buffer = entry->second;
  };
  for (tensor::Access& access : alone.loop.loads) place(access);
  for (tensor::Store& store : alone.loop.stores) place(store.access);
  return alone;
}

int compare_loops(const tensor::KernelProgram& kernel_program) {
  std::vector<Alone> cases;
  for (const tensor::Instruction& instruction : kernel_program.instructions) {
    const auto* loop = std::get_if<tensor::Loop>(&instruction);
    if (loop == nullptr || draws(*loop) || elements_of(loop->space) > most_elements) continue;
    if (lower::arrange(*loop).per_element_calls) continue;
    cases.push_back(isolate(*loop, kernel_program, static_cast<unsigned>(cases.size())));
  }
  std::vector<tensor::Loop> loops;
  for (const Alone& alone : cases) loops.push_back(alone.loop);
  if (loops.empty()) return 0;
  const lower::CompiledLoops compiled(loops);
  for (size_t i = 0; i < cases.size(); ++i) {
    Buffers expected = cases[i].buffers;
    Buffers got = cases[i].buffers;
    loop_runner::interpret(cases[i].loop, expected, rows);
    loop_runner::run(compiled, i, got, rows);
    for (size_t b = 0; b < got.size(); ++b) {
      for (size_t e = 0; e < got[b].size(); ++e) {
        const double tolerance = 1e-4 * std::max(1.0F, std::abs(expected[b][e]));
        EXPECT_NEAR(got[b][e], expected[b][e], tolerance)
            << kernel_program.name << ", loop " << cases[i].loop.name << ", buffer " << b << " element " << e;
        if (testing::Test::HasFailure()) return 0;
      }
    }
  }
  return static_cast<int>(cases.size());
}

class Examples : public testing::TestWithParam<const char*> {};

TEST_P(Examples, have_loops_that_compute_what_they_say) {
  const vaec::CheckedModel checked = programs::check_model(programs::example(GetParam()));
  int compared = 0;
  for (const tensor::KernelProgram& kernel_program : vaec::build_programs(checked).programs) {
    compared += compare_loops(kernel_program);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GE(compared, 10);
}

INSTANTIATE_TEST_SUITE_P(examples, Examples,
                         testing::Values("digits/digits_glyphs.vae", "ladder/ladder.vae",
                                         "reverse/reverse.vae"));

}  // namespace
