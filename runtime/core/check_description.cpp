#include "runtime/core/check_description.h"

#include <fmt/format.h>

#include <iterator>
#include <set>

namespace core {
namespace {

/// `what` and `name` are the words of the message.
void require(bool holds, const char* what, const std::string& name) {
  if (!holds) throw schema::Malformed({}, fmt::format("{} {}", what, name));
}

void require_index(int64_t index, size_t size, const char* what) {
  if (index < 0 || index >= static_cast<int64_t>(size))
    throw schema::Malformed({}, fmt::format("{} {} of {}", what, index, size));
}

template <class Indices>
void require_indices(const Indices& indices, size_t size, const char* what) {
  for (const int index : indices) require_index(index, size, what);
}

/// An index, or -1 for none.
void require_optional(int index, size_t size, const char* what) {
  if (index != -1) require_index(index, size, what);
}

/// Checks one program.
class ProgramCheck {
 public:
  ProgramCheck(const schema::Description& image, const schema::Program& program, size_t kernels,
               size_t device_kernels)
      : image_(image), program_(program), kernels_(kernels), device_kernels_(device_kernels) {}

  void run() {
    for (const schema::BatchClass& batch : program_.batches)
      require_optional(batch.source, image_.sources.size() + image_.splits.size(), "source");
    for (const Life& life : program_.slots)
      require(life.first >= 0 && life.first <= life.last, "a live range in", program_.name);
    for (const schema::Buffer& buffer : program_.buffers) check(buffer);
    for (const schema::Buffer& buffer : program_.buffers) check_parents(buffer);
    for (const schema::Instruction& instruction : program_.instructions) {
      std::visit([&](const auto& kind) { check(kind); }, instruction);
      ++now_;
    }
    if (program_.plan) check(*program_.plan);
  }

 private:
  void check(const schema::LaunchPlan& plan) const {
    std::set<int> seen;
    for (const std::vector<int>& launch : plan.launches) {
      require(!launch.empty(), "an empty launch in", program_.name);
      for (const int instruction : launch) {
        require_index(instruction, program_.instructions.size(), "instruction");
        require(seen.insert(instruction).second, "a launch twice in", program_.name);
        require(launch.size() == 1 || std::holds_alternative<schema::Loop>(
                                          program_.instructions[static_cast<size_t>(instruction)]),
                "a launch in", program_.name);
      }
    }
    require(seen.size() == program_.instructions.size() && plan.joined.size() == plan.launches.size(),
            "the launches of", program_.name);
    require(plan.slot_of.size() == program_.buffers.size(), "the slots of", program_.name);
    for (const Life& life : plan.slots)
      require(life.first >= 0 && life.first <= life.last, "a live range in", program_.name);
    for (size_t b = 0; b < plan.slot_of.size(); ++b)
      if (program_.buffers[b].kind == schema::Buffer::Kind::scratch)
        require_index(plan.slot_of[b], plan.slots.size(), "slot");
  }

  void check(const schema::Extent& extent) const {
    require_optional(extent.batch, program_.batches.size(), "batch class");
  }

  void check(const std::vector<schema::Extent>& extents) const {
    for (const schema::Extent& extent : extents) check(extent);
  }

  void check(const schema::Buffer& buffer) const {
    using Kind = schema::Buffer::Kind;
    check(buffer.extents);
    if (buffer.kind == Kind::scratch) require_index(buffer.slot, program_.slots.size(), "slot");
    if (buffer.kind == Kind::part) require_index(buffer.parent, program_.buffers.size(), "parent buffer");
    // The index of a player's averages is the player's index plus the number of players.
    if (buffer.kind == Kind::parameters) require_index(buffer.index, 2 * image_.players.size(), "player");
  }

  /// The chain of parents of each part ends at a buffer that is not a part.
  void check_parents(const schema::Buffer& start) const {
    const schema::Buffer* buffer = &start;
    for (size_t depth = 0; buffer->kind == schema::Buffer::Kind::part; ++depth) {
      require(depth < program_.buffers.size(), "parts of each other in", program_.name);
      buffer = &program_.buffers[static_cast<size_t>(buffer->parent)];
    }
  }

  /// A buffer that the instruction `now_` uses.
  void check_buffer(int index) const {
    require_index(index, program_.buffers.size(), "buffer");
    const schema::Buffer* whole = &program_.buffers[static_cast<size_t>(index)];
    while (whole->kind == schema::Buffer::Kind::part)
      whole = &program_.buffers[static_cast<size_t>(whole->parent)];
    if (whole->kind != schema::Buffer::Kind::scratch) return;
    const Life& life = program_.slots[static_cast<size_t>(whole->slot)];
    require(life.first <= now_ && now_ <= life.last, "the live range of a buffer in", program_.name);
  }

  void check(const schema::Loop& loop) const {
    require_index(loop.kernel, kernels_, "kernel");
    if (device_kernels_ > 0) require_index(loop.device_kernel, device_kernels_, "kernel for GPUs");
    check(loop.space);
    check(loop.unit);
    require(loop.kept >= 0 && loop.kept <= std::ssize(loop.space), "the kept axes of", loop.name);
    for (const schema::Access& access : loop.accesses) {
      check_buffer(access.buffer);
      require(access.strides.size() == loop.space.size(), "the strides of", loop.name);
    }
  }

  void check(const schema::Gemm& gemm) const {
    for (const int buffer : {gemm.a, gemm.b, gemm.c}) check_buffer(buffer);
    for (const schema::Extent& extent : {gemm.m, gemm.n, gemm.k}) check(extent);
  }

  void check(const schema::Convolution& convolution) const {
    for (const int buffer : {convolution.a, convolution.b, convolution.c}) check_buffer(buffer);
    check(convolution.batch);
  }

  void check(const schema::Gather& gather) const {
    require_index(gather.column, image_.columns.size(), "column");
    require_index(gather.source, image_.sources.size() + image_.splits.size(), "source");
    check_buffer(gather.buffer);
  }

  void check(const schema::SumRanks& sum) const {
    require_index(sum.source, image_.sources.size() + image_.splits.size(), "source");
    check_buffer(sum.from);
    check_buffer(sum.to);
  }

  void check(const schema::Update& update) const {
    require_index(update.player, image_.players.size(), "player");
    check_buffer(update.gradient);
  }

  const schema::Description& image_;
  const schema::Program& program_;
  size_t kernels_, device_kernels_;
  int now_ = 0;  // the instruction that is being checked
};

struct DescriptionCheck {
  const schema::Description& image;

  void variables(const auto& indices) const { require_indices(indices, image.variables.size(), "variable"); }
  void program(int index) const { require_index(index, image.programs.size(), "program"); }
  void optional_program(int index) const { require_optional(index, image.programs.size(), "program"); }

  void check(const schema::Player& player) const {
    for (const schema::Parameter& parameter : player.parameters)
      require(parameter.offset >= 0 && parameter.offset + parameter.elements() <= player.elements,
              "the place of", parameter.name);
  }

  void check(const schema::Source& source) const {
    variables(source.known);
    optional_program(source.program);
    require_indices(source.starts, image.conditionals.size(), "conditional");
    for (const auto& [variable, player] : source.words) {
      require_index(variable, image.variables.size(), "variable");
      require_index(player, image.players.size(), "player");
    }
  }

  void check(const schema::Conditional& conditional) const {
    require_optional(conditional.player, image.players.size(), "player");
    require_optional(conditional.source, image.sources.size(), "source");
    require_index(conditional.target, image.variables.size(), "variable");
    variables(conditional.parents);
    for (const int index : {conditional.draw, conditional.mean, conditional.log_density, conditional.initial,
                            conditional.term, conditional.jacobian})
      optional_program(index);
  }

  void check(const schema::GibbsChain& chain) const {
    require_index(chain.source, image.sources.size() + image.splits.size(), "source");
    for (const int part : chain.parts) program(part);
    for (const schema::Tag& tag : chain.tags) {
      require_index(tag.part, chain.parts.size(), "part");
      require_indices(tag.redrawn_by, chain.parts.size(), "part");
      require(tag.coefficient >= static_cast<int>(image.sources.size()), "the coefficient of", tag.term);
    }
  }

  void check(const schema::Phases& phases) const {
    for (const auto* order : {&phases.alternating, &phases.simultaneous})
      for (const schema::Phase& phase : *order) {
        program(phase.program);
        for (const schema::Stage& stage : phase.stages) {
          program(stage.program);
          for (const schema::GibbsChain& chain : stage.chains) check(chain);
        }
      }
  }

  void check(const schema::Learn& learn) const {
    require_indices(learn.sources, image.sources.size(), "source");
    require_indices(learn.skipped, image.sources.size(), "source");
    check(static_cast<const schema::Phases&>(learn));
    check(static_cast<const schema::Phases&>(learn.missing));
    require_indices(learn.missing.splits, image.splits.size(), "split");
    for (const auto& [split, reason] : learn.missing.refused)
      require_index(split, image.splits.size(), "split");
  }

  void run() const {
    for (const schema::Player& player : image.players) check(player);
    for (const schema::DataColumn& column : image.columns)
      require_index(column.variable, image.variables.size(), "variable");
    variables(image.published);
    for (const schema::Source& source : image.sources) check(source);
    for (const schema::Split& split : image.splits) {
      require_index(split.source, image.sources.size(), "source");
      variables(split.missing);
    }
    for (const schema::Conditional& conditional : image.conditionals) check(conditional);
    for (const schema::Learn& learn : image.learns) check(learn);
    for (const schema::OptimizerProgram& optimizer : image.optimizers) program(optimizer.program);
    optional_program(image.clip);
  }
};

}  // namespace

void check_description(const schema::Description& description, size_t kernels, size_t device_kernels) {
  DescriptionCheck{description}.run();
  for (const schema::Program& program : description.programs)
    ProgramCheck(description, program, kernels, device_kernels).run();
}

void check_joined_kernels(const std::vector<schema::JoinedKernel>& joined, size_t device_kernels,
                          const std::vector<schema::Program>& programs) {
  for (const schema::JoinedKernel& kernel : joined)
    for (const uint32_t loop : kernel.loops) require_index(loop, device_kernels, "kernel for GPUs");
  for (const schema::Program& program : programs) {
    if (!program.plan) continue;
    for (size_t launch = 0; launch < program.plan->launches.size(); ++launch) {
      const std::vector<int>& instructions = program.plan->launches[launch];
      if (instructions.size() == 1) continue;
      require_index(program.plan->joined[launch], joined.size(), "joined kernel");
      std::vector<uint32_t> loops;
      for (const int instruction : instructions)
        loops.push_back(
            std::get<schema::Loop>(program.instructions[static_cast<size_t>(instruction)]).device_kernel);
      require(loops == joined[static_cast<size_t>(program.plan->joined[launch])].loops,
              "another joined kernel in", program.name);
    }
  }
}

}  // namespace core
