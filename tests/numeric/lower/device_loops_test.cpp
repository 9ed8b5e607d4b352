// links: vaec_pipeline vaert_core
// Runs the GPU kernel of a loop on the CPU, one block at a time. It computes the same as the CPU's kernel,
// with the same draws. Covers every loop of the examples, and every way to divide a reduction.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <random>

#include "compiler/lower/device/emulated_loops.h"
#include "runtime/abi.h"
#include "runtime/core/launch.h"
#include "runtime/schema/device_kernels.h"
#include "tests/numeric/support/example_programs.h"
#include "tests/numeric/support/loop_runner.h"

namespace {
using loop_runner::Buffers;
using loop_runner::LoopBuilder;
using semantics::Op;
using tensor::Combine;

constexpr uint64_t seed = 0x123456789abcdefULL, step = (uint64_t{3} << 32) + 41;

/// The rows of another rank come before those of the loop, so its first draw is one of the middle of a tile.
loop_runner::Randomness randomness(const tensor::Loop& loop) {
  constexpr int64_t earlier_rows = 7;
  const auto batch =
      std::ranges::find_if(loop.space, [](const tensor::Extent& extent) { return extent.batch >= 0; });
  const bool comes_first =
      batch != loop.space.end() &&
      std::all_of(loop.space.begin(), batch, [](const tensor::Extent& extent) { return extent.size == 1; });
  if (!comes_first) return {seed, step, 0};
  int64_t inner = 1;
  for (auto axis = batch + 1; axis != loop.space.end(); ++axis) inner *= axis->size;
  return {seed, step, earlier_rows * inner};
}

/// A loop that is ready to be launched, and the memory that its launch needs.
struct Launched {
  Launched(const lower::EmulatedLoops& loops, size_t number, Buffers& buffers, int64_t rows, int processors,
           uint32_t threads)
      : arranged(loops.arrangement(number)),
        bound(arranged.loop, buffers, rows),
        kernel(loops.kernel(number)) {
    kernel.threads = threads;
    launch = core::plan_launch(kernel, bound.kept, bound.reduced, processors);
    partials.assign(static_cast<size_t>(core::partial_sums(kernel, launch, bound.kept)), -1e300);
    counters.assign(launch.blocks_x, 0);
    const loop_runner::Randomness random = randomness(arranged.loop);
    clock = {random.seed, random.step};
    call.pointers.assign(bound.pointers.begin(), bound.pointers.end());
    for (const tensor::Extent& extent : arranged.loop.space)
      if (extent.batch >= 0) call.rows.emplace_back(loop_runner::length(extent, rows));
    call.scalars.assign(arranged.scalars.begin(), arranged.scalars.end());
    call.sites.assign(arranged.sites.begin(), arranged.sites.end());
    if (!call.sites.empty()) {
      call.clock.emplace(clock.data());
      call.first.emplace(random.first);
    }
    if (kernel.reduces()) {
      call.log_width.emplace(launch.log_width);
      call.partials.emplace(partials.data());
      call.counters.emplace(counters.data());
    }
  }
  Launched(const Launched&) = delete;
  ~Launched() {
    for (const uint32_t counter : counters) EXPECT_EQ(counter, 0U);
  }

  const lower::Arrangement& arranged;
  loop_runner::Bound bound;
  schema::DeviceKernel kernel;
  core::Launch launch;
  std::vector<double> partials;
  std::vector<uint32_t> counters;
  std::array<uint64_t, 2> clock{};
  schema::LoopKernel<> call;
};

/// Runs all blocks, starting with the last, because their order must not matter.
template <class Kernel>
void run_blocks(lower::EmulatedLoops::Code code, const core::Launch& launch, const Kernel& call) {
  std::vector<void*> parameters;
  schema::each_parameter(
      call, [&](const auto& parameter) { parameters.push_back(const_cast<void*>(parameter.place())); });
  for (uint32_t y = launch.blocks_y; y-- > 0;)
    for (uint32_t x = launch.blocks_x; x-- > 0;)
      code(parameters.data(), x, y, launch.blocks_x, launch.blocks_y, launch.threads);
}

void run_emulated(const lower::EmulatedLoops& loops, size_t number, Buffers& buffers, int64_t rows,
                  int processors) {
  const Launched launched(loops, number, buffers, rows, processors, loops.kernel(number).threads);
  run_blocks(loops.code(number), launched.launch, launched.call);
}

/// Runs the kernel that joins all loops; each has buffers of its own.
void run_joined(const lower::EmulatedLoops& loops, std::vector<Buffers>& buffers, int64_t rows,
                int processors) {
  const schema::JoinedKernel& kernel = loops.joined_kernel();
  std::deque<Launched> launched;
  schema::JoinedLoops<> call;
  uint32_t blocks = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Launched& one = launched.emplace_back(loops, i, buffers[i], rows, processors, kernel.threads);
    call.members.push_back({one.launch.blocks_x, one.launch.blocks_y, one.call});
    blocks += one.launch.blocks_x * one.launch.blocks_y;
  }
  run_blocks(loops.joined_code(), {blocks, 1, kernel.threads, 0}, call);
}

struct Case {
  tensor::Loop loop;
  Buffers buffers;
};

void expect_equal(const std::vector<Case>& cases, int64_t rows, int processors, const std::string& what) {
  std::vector<tensor::Loop> loops;
  for (const Case& one : cases) loops.push_back(one.loop);
  const lower::CompiledLoops compiled(loops);
  const lower::EmulatedLoops emulated(loops);
  for (size_t i = 0; i < cases.size(); ++i) {
    Buffers expected = cases[i].buffers, got = cases[i].buffers;
    loop_runner::run(compiled, i, expected, rows, 1 << 30, randomness(cases[i].loop));
    run_emulated(emulated, i, got, rows, processors);
    for (size_t b = 0; b < got.size(); ++b)
      for (size_t e = 0; e < got[b].size(); ++e) {
        if (std::isnan(expected[b][e]) && std::isnan(got[b][e])) continue;
        ASSERT_NEAR(got[b][e], expected[b][e], 1e-5 * std::max(1.0F, std::abs(expected[b][e])))
            << what << ", loop " << cases[i].loop.name << " (" << schema::word_of(emulated.kernel(i).mapping)
            << "), buffer " << b << " element " << e;
      }
  }
}

/// Their joined kernel computes what the kernels of the loops compute, to the bit.
void expect_equal_joined(const std::vector<Case>& cases, int64_t rows, int processors,
                         const std::string& what) {
  std::vector<tensor::Loop> loops;
  std::vector<Buffers> expected, got;
  for (const Case& one : cases) {
    loops.push_back(one.loop);
    expected.push_back(one.buffers);
    got.push_back(one.buffers);
  }
  const lower::EmulatedLoops emulated(loops, true);
  for (size_t i = 0; i < cases.size(); ++i) run_emulated(emulated, i, expected[i], rows, processors);
  run_joined(emulated, got, rows, processors);
  for (size_t i = 0; i < cases.size(); ++i)
    for (size_t b = 0; b < got[i].size(); ++b)
      for (size_t e = 0; e < got[i][b].size(); ++e)
        ASSERT_EQ(std::bit_cast<uint32_t>(got[i][b][e]), std::bit_cast<uint32_t>(expected[i][b][e]))
            << what << ", loop " << cases[i].loop.name << ", buffer " << b << " element " << e;
}

Buffers noise(const std::vector<int64_t>& sizes, unsigned seed, float low = 0.05F) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> spread(low, 0.95F);
  Buffers buffers;
  for (const int64_t size : sizes) {
    buffers.emplace_back(static_cast<size_t>(size));
    for (float& value : buffers.back()) value = spread(generator);
  }
  return buffers;
}

TEST(Reduction, of_columns_is_cut_every_way) {
  for (const int64_t columns : {1, 5, 32, 100}) {
    for (const int64_t reduced : {1, 7, 64, 3000, 20000}) {
      LoopBuilder b({{columns}, {reduced}}, 1);
      const int x = b.load(0, {1, columns});
      b.store(x, 1, {1, 0}, Combine::sum);
      b.store(x, 2, {1, 0}, Combine::max);
      const Case one{b.loop(), noise({columns * reduced, columns, columns}, 1, -1)};
      for (const int processors : {1, 8, 132}) expect_equal({one}, 1, processors, "columns");
    }
  }
}

TEST(Reduction, of_rows_is_cut_every_way) {
  for (const int64_t kept : {1, 3, 300}) {
    for (const int64_t reduced : {1, 10, 333, 5000}) {
      LoopBuilder b({{kept}, {reduced}}, 1);
      const int x = b.load(0, {reduced, 1});
      b.store(b.apply(Op::multiply, x, x), 1, {1, 0}, Combine::sum);
      b.store(x, 2, {1, 0}, Combine::min);
      const Case one{b.loop(), noise({kept * reduced, kept, kept}, 2, -1)};
      for (const int processors : {1, 8, 132}) expect_equal({one}, 1, processors, "rows");
    }
  }
}

TEST(Reduction, over_two_groups_of_axes) {
  LoopBuilder b({{6}, {40}, {70}}, 1);
  b.store(b.apply(Op::add, b.load(0, {70, 420, 1}), b.load(1, {0, 1, 0})), 2, {1, 0, 0}, Combine::sum);
  expect_equal({{b.loop(), noise({6 * 40 * 70, 40, 6}, 3)}}, 1, 20, "two groups");
}

/// y[r, j] = tanh(x[r, j] + b[j]), where the rows of x and y begin `pitch` elements after one another.
Case biased(int64_t columns, int64_t pitch, int64_t offset) {
  constexpr int64_t rows = 19;
  LoopBuilder b({{1, 0}, {columns}}, 2);
  const int x = b.load(0, {pitch, 1}, offset);
  b.store(b.apply(Op::tanh, b.apply(Op::add, x, b.load(1, {0, 1}))), 2, {pitch, 1});
  return {b.loop(), noise({rows * pitch + offset, columns, rows * pitch}, 4, -1)};
}

TEST(Quads, are_read_and_written_at_once_where_they_are_aligned) {
  using Mapping = schema::DeviceKernel::Mapping;
  const auto mapping_of = [](const Case& one) { return lower::EmulatedLoops({one.loop}).kernel(0).mapping; };
  for (const Case& one : {biased(12, 12, 0), biased(64, 64, 0), biased(12, 16, 4)}) {
    EXPECT_EQ(mapping_of(one), Mapping::quads);
    expect_equal({one}, 19, 8, "quads");
  }
  for (const Case& one : {biased(13, 13, 0), biased(12, 13, 0), biased(12, 12, 2)}) {
    EXPECT_EQ(mapping_of(one), Mapping::elements);
    expect_equal({one}, 19, 8, "elements");
  }
}

TEST(Joined, loops_of_every_mapping_share_a_kernel) {
  LoopBuilder rows({{40}, {333}}, 1), drawn({{1, 0}, {32}}, 2), long_sum({{100000}}, 0);
  rows.store(rows.load(0, {333, 1}), 1, {1, 0}, Combine::sum);
  drawn.store(drawn.apply(Op::uniform, -1, -1, -1, 3), 0, {32, 1});
  const int x = long_sum.load(0, {1});
  long_sum.store(x, 1, {0}, Combine::sum);
  long_sum.store(x, 2, {0}, Combine::max);
  const std::vector<Case> cases = {biased(12, 12, 0),
                                   {rows.loop(), noise({40 * 333, 40}, 7)},
                                   {long_sum.loop(), noise({100000, 1, 1}, 8)},
                                   biased(13, 13, 0),
                                   {drawn.loop(), noise({19 * 32}, 9)}};
  for (const int processors : {1, 8, 132}) expect_equal_joined(cases, 19, processors, "joined");
}

TEST(Parameters, of_a_kernel_are_limited) {
  const auto with_numbers = [](int count) {
    LoopBuilder b({{8}}, 1);
    int sum = b.load(0, {1});
    for (int i = 0; i < count; ++i) sum = b.apply(Op::add, sum, b.constant(3 + 0.25 * i));
    b.store(sum, 1, {1});
    return b.loop();
  };
  expect_equal({{with_numbers(900), noise({8, 8}, 5)}}, 1, 20, "900 numbers");
  EXPECT_THROW(lower::EmulatedLoops({with_numbers(1100)}), std::runtime_error);
}

TEST(Sums, of_many_elements_keep_their_digits) {
  // If it were summed in float alone, the sum of a thread's share would stop growing long before its end.
  constexpr int64_t count = 1 << 23;
  LoopBuilder b({{count}}, 0);
  b.store(b.load(0, {1}), 1, {0}, Combine::sum);
  const lower::EmulatedLoops emulated({b.loop()});
  Buffers buffers = {std::vector<float>(count, 1.1F), {0}};
  run_emulated(emulated, 0, buffers, 1, 1);
  EXPECT_NEAR(buffers[1][0], 1.1F * static_cast<double>(count), 100);
}

// Named here so that they are linked into the test, where the kernels find them.
__attribute__((used)) const void* const called_by_kernels[] = {
    reinterpret_cast<const void*>(&vaert_lgamma), reinterpret_cast<const void*>(&vaert_sample_gamma_log)};

class Examples : public testing::TestWithParam<const char*> {};

TEST_P(Examples, have_kernels_that_compute_what_the_processor_computes) {
  constexpr int64_t rows = 19, most = 200000;
  const vaec::CheckedModel checked = programs::check_model(programs::example(GetParam()));
  const auto elements = [](const std::vector<tensor::Extent>& extents) {
    int64_t product = 1;
    for (const tensor::Extent& extent : extents) product *= loop_runner::length(extent, rows);
    return product;
  };
  size_t compared = 0;
  for (const tensor::KernelProgram& kernel_program : vaec::build_programs(checked).programs) {
    std::vector<Case> cases;
    for (const tensor::Instruction& instruction : kernel_program.instructions) {
      const auto* loop = std::get_if<tensor::Loop>(&instruction);
      if (loop == nullptr || elements(loop->space) > most) continue;
      Case& one = cases.emplace_back(Case{*loop, {}});
      std::map<int, int> numbers;
      std::vector<int64_t> sizes;
      const auto place = [&](tensor::Access& access) {
        const auto [entry, fresh] = numbers.try_emplace(access.buffer, static_cast<int>(sizes.size()));
        if (fresh)
          sizes.push_back(elements(kernel_program.buffers[static_cast<size_t>(access.buffer)].extents));
        access.buffer = entry->second;
      };
      for (tensor::Access& access : one.loop.loads) place(access);
      for (tensor::Store& store : one.loop.stores) place(store.access);
      one.buffers = noise(sizes, static_cast<unsigned>(cases.size()));
    }
    const bool several_lengths =
        std::any_of(kernel_program.batches.begin(), kernel_program.batches.end(),
                    [](const tensor::BatchClass& batch) { return batch.times != 1; });
    if (cases.empty() || several_lengths) continue;  // the emulation has a single number of rows
    expect_equal(cases, rows, 8, kernel_program.name);
    for (size_t first = 0; first < cases.size(); first += 6)  // some loops, one after another in the program
      expect_equal_joined({cases.begin() + static_cast<long>(first),
                           cases.begin() + static_cast<long>(std::min(first + 6, cases.size()))},
                          rows, 8, kernel_program.name);
    if (HasFailure()) return;
    compared += cases.size();
  }
  EXPECT_GE(compared, 20U);
}

INSTANTIATE_TEST_SUITE_P(examples, Examples,
                         testing::Values("digits/digits_glyphs.vae", "ladder/ladder.vae", "table/table.vae",
                                         "five_players/five_players.vae"));

}  // namespace
