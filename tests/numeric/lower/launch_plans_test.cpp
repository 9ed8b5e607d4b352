// links: vaec_pipeline vaert_core
// Places the buffers of every example's programs as a GPU does, and follows its launches: each instruction
// finds what it reads, loops of one launch do not disturb one another, and no loop writes what its kernel
// reads through the cache that sees no writes.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "compiler/lower/image/only_read.h"
#include "compiler/tensor/launches/join_launches.h"
#include "tests/numeric/support/example_programs.h"

namespace {

using tensor::Buffer;
using tensor::KernelProgram;

constexpr int64_t rows = 128;
constexpr int64_t apart = int64_t{1} << 40;  // between memories that are never shared

/// Elements [begin, end) of all memory that a program uses, and the buffer that they belong to, as a whole.
struct Area {
  int64_t begin, end;
  int memory;
  bool meets(const Area& other) const { return begin < other.end && other.begin < end; }
};

struct Uses {
  std::vector<Area> reads, writes;
  bool meets(const Area& area) const {
    const auto met = [&](const Area& used) { return used.meets(area); };
    return std::ranges::any_of(reads, met) || std::ranges::any_of(writes, met);
  }
};

class Machine {
 public:
  explicit Machine(const KernelProgram& program) : program_(program) {
    const auto& slots = program.plan ? program.plan->slots : program.slots;
    std::vector<int64_t> sizes(slots.size());
    for (size_t b = 0; b < program.buffers.size(); ++b)
      if (program.buffers[b].kind == Buffer::Kind::scratch) {
        int64_t& size = sizes[slot_of(b)];
        size = std::max(size, size_of(program.buffers[b]));
      }
    const ScratchLayout layout = lay_out(slots, sizes);
    total_ = layout.total;
    std::map<std::string, int64_t> others;
    for (size_t b = 0; b < program.buffers.size(); ++b) {
      const Buffer& buffer = program.buffers[b];
      const bool named = buffer.kind == Buffer::Kind::input || buffer.kind == Buffer::Kind::output;
      const std::string key =
          named ? buffer.name : fmt::format("{} {}", static_cast<int>(buffer.kind), buffer.index);
      const auto other = static_cast<int64_t>(others.size() + 1) * apart;
      starts_.push_back(buffer.kind == Buffer::Kind::scratch ? layout.starts[slot_of(b)]
                        : buffer.kind == Buffer::Kind::part  ? 0
                                                             : others.try_emplace(key, other).first->second);
    }
    for (size_t b = 0; b < program.buffers.size(); ++b) {
      size_t whole = b;
      int64_t offset = 0;
      while (program.buffers[whole].kind == Buffer::Kind::part) {
        offset += program.buffers[whole].offset;
        whole = static_cast<size_t>(program.buffers[whole].parent);
      }
      places_.push_back(starts_[whole] + offset);
    }
  }

  Uses of(const tensor::Instruction& instruction) const {
    Uses uses;
    if (const auto* loop = std::get_if<tensor::Loop>(&instruction)) {
      for (const tensor::Access& load : loop->loads) uses.reads.push_back(area(*loop, load));
      for (const tensor::Store& store : loop->stores) uses.writes.push_back(area(*loop, store.access));
    } else if (const auto* gemm = std::get_if<tensor::Gemm>(&instruction)) {
      uses = {{whole(gemm->a), whole(gemm->b)}, {whole(gemm->c)}};
    } else if (const auto* convolution = std::get_if<tensor::Convolution>(&instruction)) {
      uses = {{whole(convolution->a), whole(convolution->b)}, {whole(convolution->c)}};
    } else if (const auto* gather = std::get_if<tensor::Gather>(&instruction)) {
      uses = {{}, {whole(gather->buffer)}};
    } else if (const auto* sum = std::get_if<tensor::SumRanks>(&instruction)) {
      uses = {{whole(sum->from)}, {whole(sum->to)}};
    } else {
      uses = {{whole(std::get<tensor::Update>(instruction).gradient)}, {}};
    }
    return uses;
  }

  int64_t total() const { return total_; }

  Area area(const tensor::Loop& loop, const tensor::Access& access) const {
    int64_t begin = access.offset, end = access.offset + 1;
    for (size_t axis = 0; axis < loop.space.size(); ++axis)
      (access.strides[axis] < 0 ? begin : end) += access.strides[axis] * (length(loop.space[axis]) - 1);
    const int64_t start = places_[static_cast<size_t>(access.buffer)];
    return {start + begin, start + end, root(access.buffer)};
  }

 private:
  int root(int b) const {
    while (program_.buffers[static_cast<size_t>(b)].kind == Buffer::Kind::part)
      b = program_.buffers[static_cast<size_t>(b)].parent;
    return b;
  }
  int64_t length(const tensor::Extent& extent) const {
    return extent.batch < 0 ? extent.size : rows * program_.batches[static_cast<size_t>(extent.batch)].times;
  }
  int64_t size_of(const Buffer& buffer) const {
    int64_t size = 1;
    for (const tensor::Extent& extent : buffer.extents) size *= length(extent);
    return size;
  }
  size_t slot_of(size_t b) const {
    return static_cast<size_t>(program_.plan ? program_.plan->slot_of[b] : program_.buffers[b].slot);
  }
  Area whole(int b) const {
    const int64_t start = places_[static_cast<size_t>(b)];
    return {start, start + size_of(program_.buffers[static_cast<size_t>(b)]), root(b)};
  }

  const KernelProgram& program_;
  std::vector<int64_t> starts_, places_;
  int64_t total_ = 0;
};

/// Elements [begin, end) of an area, and the instruction that wrote them last.
struct Written {
  int64_t begin, end;
  int instruction;
  bool operator==(const Written&) const = default;
};

class Writers {
 public:
  void write(const Area& area, int instruction) {
    split(area.begin);
    split(area.end);
    parts_.erase(parts_.lower_bound(area.begin), parts_.lower_bound(area.end));
    parts_[area.begin] = {area.end, area.memory, instruction};
  }
  /// Without what was written for other buffers in the same memory: loops may skip elements of an area.
  std::vector<Written> of(const Area& area) {
    split(area.begin);
    split(area.end);
    std::vector<Written> found;
    for (auto part = parts_.lower_bound(area.begin); part != parts_.end() && part->first < area.end; ++part) {
      if (part->second.memory != area.memory) continue;
      const Written written = {part->first - area.begin, part->second.end - area.begin,
                               part->second.instruction};
      if (!found.empty() && found.back().end == written.begin &&
          found.back().instruction == written.instruction)
        found.back().end = written.end;
      else
        found.push_back(written);
    }
    return found;
  }

 private:
  struct Part {
    int64_t end;
    int memory, instruction;
  };
  void split(int64_t at) {
    auto after = parts_.upper_bound(at);
    if (after == parts_.begin()) return;
    auto& [begin, part] = *std::prev(after);
    if (begin == at || part.end <= at) return;
    const int64_t front = begin;
    parts_[at] = part;
    parts_.at(front).end = at;
  }
  std::map<int64_t, Part> parts_;  // by begin
};

using Found = std::map<int, std::vector<std::vector<Written>>>;

/// By instruction: who wrote what it reads, if the launches run in this order.
Found writers_of_reads(const KernelProgram& program, const std::vector<std::vector<int>>& launches) {
  const Machine machine(program);
  Writers writers;
  Found found;
  for (const std::vector<int>& launch : launches) {
    for (const int instruction : launch)
      for (const Area& read : machine.of(program.instructions[static_cast<size_t>(instruction)]).reads)
        found[instruction].push_back(writers.of(read));
    for (const int instruction : launch)
      for (const Area& written : machine.of(program.instructions[static_cast<size_t>(instruction)]).writes)
        writers.write(written, instruction);
  }
  return found;
}

void expect_apart(const KernelProgram& program, const Machine& machine, const std::vector<int>& launch) {
  for (const int one : launch) {
    for (const int other : launch) {
      if (one == other) continue;
      const Uses uses = machine.of(program.instructions[static_cast<size_t>(other)]);
      for (const Area& written : machine.of(program.instructions[static_cast<size_t>(one)]).writes)
        EXPECT_FALSE(uses.meets(written))
            << program.name << ": " << one << " writes what " << other << " uses";
    }
  }
}

void expect_right(const KernelProgram& program) {
  const Machine machine(program);
  if (program.plan) {
    for (const std::vector<int>& launch : program.plan->launches) expect_apart(program, machine, launch);
    KernelProgram in_order = program;
    in_order.plan.reset();
    std::vector<std::vector<int>> alone;
    for (size_t i = 0; i < program.instructions.size(); ++i) alone.push_back({static_cast<int>(i)});
    const bool equal = writers_of_reads(program, program.plan->launches) == writers_of_reads(in_order, alone);
    EXPECT_TRUE(equal) << program.name;
  }
  for (const tensor::Instruction& instruction : program.instructions) {
    const auto* loop = std::get_if<tensor::Loop>(&instruction);
    if (!loop) continue;
    const std::vector<bool> only_read = lower::only_read(program, *loop);
    const Uses uses = machine.of(instruction);
    for (size_t load = 0; load < loop->loads.size(); ++load)
      for (const Area& written : uses.writes)
        EXPECT_FALSE(only_read[load] && written.meets(uses.reads[load]))
            << program.name << ": " << loop->name;
  }
}

TEST(Plans, of_all_examples_keep_what_each_instruction_reads) {
  int joined = 0, launches = 0, programs = 0, cached = 0, loads = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(VAEC_ROOT) + "/examples")) {
    if (entry.path().extension() != ".vae") continue;
    const auto path = std::filesystem::relative(entry.path(), std::string(VAEC_ROOT) + "/examples");
    const vaec::CheckedModel checked = vaec::for_executable(programs::check_model(programs::example(path)));
    for (const KernelProgram& program : vaec::build_programs(checked, {}, lower::Target::any).programs) {
      expect_right(program);
      if (HasFailure()) return;
      for (const tensor::Instruction& instruction : program.instructions)
        if (const auto* loop = std::get_if<tensor::Loop>(&instruction)) {
          const std::vector<bool> only_read = lower::only_read(program, *loop);
          loads += static_cast<int>(only_read.size());
          cached += static_cast<int>(std::ranges::count(only_read, true));
        }
      if (!program.plan) continue;
      ++programs;
      KernelProgram in_order = program;
      in_order.plan.reset();
      EXPECT_LE(Machine(program).total(), 3 * Machine(in_order).total()) << path << " " << program.name;
      for (const std::vector<int>& launch : program.plan->launches) {
        ++launches;
        joined += static_cast<int>(launch.size()) - 1;
      }
    }
  }
  EXPECT_GT(programs, 100);
  EXPECT_GT(joined, launches / 10) << launches;
  EXPECT_GT(cached, loads / 2) << loads;
}

/// x = a + b; y = a * b; z = x - y; the first two loops can run together.
KernelProgram example() {
  KernelProgram program;
  program.name = "three loops";
  for (const char* name : {"a", "b", "z"}) {
    Buffer& buffer = program.buffers.emplace_back();
    buffer.name = name;
    buffer.kind = std::string(name) == "z" ? Buffer::Kind::output : Buffer::Kind::input;
    buffer.extents = {{8, -1}};
  }
  for (int slot = 0; slot < 2; ++slot) {
    Buffer& buffer = program.buffers.emplace_back();
    buffer.extents = {{8, -1}};
    buffer.slot = slot;
    program.slots.push_back({slot, 2});
  }
  const auto add = [&](semantics::Op op, int a, int b, int to) {
    tensor::Loop loop;
    loop.name = semantics::info(op).name;
    loop.space = {{8, -1}};
    loop.kept = 1;
    loop.loads = {{a, 0, {1}}, {b, 0, {1}}};
    loop.body.resize(3);
    for (int i = 0; i < 2; ++i) {
      loop.body[static_cast<size_t>(i)].kind = tensor::Scalar::Kind::load;
      loop.body[static_cast<size_t>(i)].index = i;
    }
    loop.body[2].op = op;
    loop.body[2].inputs = {0, 1, -1};
    loop.stores = {{{to, 0, {1}}, 2, tensor::Combine::none}};
    program.instructions.emplace_back(loop);
  };
  add(semantics::Op::add, 0, 1, 3);
  add(semantics::Op::multiply, 0, 1, 4);
  add(semantics::Op::subtract, 3, 4, 2);
  return program;
}

TEST(Plans, that_are_wrong_are_found) {
  const KernelProgram planned = tensor::join_launches(example());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->launches, (std::vector<std::vector<int>>{{0, 1}, {2}}));
  EXPECT_EQ(tensor::verify(planned), std::nullopt);
  expect_right(planned);
  const auto wrong = [&](auto&& change) {
    KernelProgram changed = planned;
    change(*changed.plan);
    return tensor::verify(changed).value_or("");
  };
  using Plan = schema::LaunchPlan;
  EXPECT_NE(wrong([](Plan& plan) { plan.launches = {{0, 1, 2}}; }).find("depends on"), std::string::npos);
  EXPECT_NE(wrong([](Plan& plan) { plan.launches = {{0, 1}}; }).find("does not run"), std::string::npos);
  EXPECT_NE(wrong([](Plan& plan) { plan.launches = {{0, 1}, {2}, {2}}; }).find("twice"), std::string::npos);
  EXPECT_NE(wrong([](Plan& plan) { plan.slot_of[4] = plan.slot_of[3]; }).find("in one slot"),
            std::string::npos);
  EXPECT_NE(wrong([](Plan& plan) { plan.slots[0].last = 0; }).find("outlives"), std::string::npos);
}

TEST(Loads, of_what_the_loop_writes_are_not_cached) {
  KernelProgram program = example();
  const auto& last = std::get<tensor::Loop>(program.instructions[2]);
  EXPECT_EQ(lower::only_read(program, last), (std::vector<bool>{true, true}));
  program.buffers[2].kind = Buffer::Kind::scratch;
  program.buffers[2].slot = 1;  // in place of the second operand
  EXPECT_EQ(lower::only_read(program, last), (std::vector<bool>{true, false}));
  program.buffers[0].name = "z";  // an update reads and writes its parameters under one name
  program.buffers[2].kind = Buffer::Kind::output;
  const auto& first = std::get<tensor::Loop>(program.instructions[0]);
  EXPECT_EQ(lower::only_read(program, first), (std::vector<bool>{true, true}));
  std::get<tensor::Loop>(program.instructions[0]).stores[0].access.buffer = 2;
  EXPECT_EQ(lower::only_read(program, first), (std::vector<bool>{false, true}));
}

}  // namespace
