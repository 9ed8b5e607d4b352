#include "compiler/tensor/launches/join_launches.h"

#include <algorithm>
#include <set>
#include <utility>

#include "compiler/tensor/launches/calls_per_element.h"
#include "compiler/tensor/launches/dependences.h"
#include "compiler/tensor/passes/plan_memory.h"

namespace tensor {
namespace {

constexpr size_t most_loops = 16;         // of a kernel, whose blocks look for their loop one after the other
constexpr size_t most_parameters = 3500;  // bytes; a GPU's kernel has 4096
// Sums of one loop: a block of 256 threads keeps 2 KB for each in shared memory, and other loops of the
// kernel should not have fewer blocks on a processor because of it.
constexpr int64_t most_sums = 4;

/// At least as many bytes as the parameters of the loop's kernel take.
size_t parameter_bytes(const Loop& loop) {
  return 64 + 8 * (loop.loads.size() + loop.stores.size() + loop.space.size()) + 4 * loop.body.size();
}

/// Kernels that call functions are compiled together, and their threads take different ways: they stay alone.
bool can_be_joined(const Instruction& instruction) {
  const auto* loop = std::get_if<Loop>(&instruction);
  return loop != nullptr && !calls_per_element(*loop) && parameter_bytes(*loop) < most_parameters / 2 &&
         std::ranges::count_if(
             loop->stores, [](const Store& s) { return s.combine != Combine::none; }) <= most_sums;
}

/// Lists the launches. A loop waits as long as something else can run, so that it meets other loops; then all
/// loops that are ready are launched together.
class Planner {
 public:
  explicit Planner(const KernelProgram& program) : program_(program) {
    const auto dependences = dependences_of(touches_of(program));
    users_.resize(dependences.size());
    for (size_t i = 0; i < dependences.size(); ++i) {
      waits_for_.push_back(dependences[i].size());
      for (const int before : dependences[i])
        users_[static_cast<size_t>(before)].push_back(static_cast<int>(i));
      if (dependences[i].empty()) make_ready(static_cast<int>(i));
    }
  }

  std::vector<std::vector<int>> run() {
    while (!others_.empty() || !loops_.empty()) {
      if (!others_.empty())
        launch({others_.extract(others_.begin()).value()});
      else
        launch_loops();
    }
    return std::move(launches_);
  }

 private:
  void make_ready(int instruction) {
    const Instruction& ready = program_.instructions[static_cast<size_t>(instruction)];
    (can_be_joined(ready) ? loops_ : others_).insert(instruction);
  }

  void launch(std::vector<int> instructions) {
    for (const int instruction : instructions)
      for (const int user : users_[static_cast<size_t>(instruction)])
        if (--waits_for_[static_cast<size_t>(user)] == 0) make_ready(user);
    launches_.push_back(std::move(instructions));
  }

  void launch_loops() {
    std::vector<int> together;
    size_t bytes = 0;
    for (const int instruction : std::exchange(loops_, {})) {
      const size_t more =
          parameter_bytes(std::get<Loop>(program_.instructions[static_cast<size_t>(instruction)]));
      if (together.size() == most_loops || bytes + more > most_parameters) {
        launch(std::exchange(together, {}));
        bytes = 0;
      }
      together.push_back(instruction);
      bytes += more;
    }
    launch(std::move(together));
  }

  const KernelProgram& program_;
  std::vector<std::vector<int>> users_;
  std::vector<size_t> waits_for_;  // by instruction: how many must still run before it
  std::set<int> loops_, others_;   // those that are ready
  std::vector<std::vector<int>> launches_;
};

/// By memory: the first and the last launch that touch it.
std::vector<Life> lives_of(const std::vector<std::vector<Touch>>& touches,
                           const std::vector<std::vector<int>>& launches, size_t buffers) {
  std::vector<Life> lives(buffers);
  for (size_t launch = 0; launch < launches.size(); ++launch)
    for (const int instruction : launches[launch])
      for (const Touch& touch : touches[static_cast<size_t>(instruction)]) {
        Life& life = lives[static_cast<size_t>(touch.memory)];
        if (life.first < 0) life.first = static_cast<int>(launch);
        life.last = static_cast<int>(launch);
      }
  return lives;
}

}  // namespace

KernelProgram join_launches(KernelProgram program) {
  std::vector<std::vector<int>> launches = Planner(program).run();
  if (launches.size() == program.instructions.size()) return program;
  ScratchPlan memory = plan_scratch(program, launches);
  std::vector<int> joined(launches.size(), -1);
  program.plan = schema::LaunchPlan{std::move(launches), std::move(joined), std::move(memory.slots),
                                    std::move(memory.slot_of)};
  return program;
}

std::optional<std::string> verify_plan(const KernelProgram& program) {
  if (!program.plan) return {};
  const schema::LaunchPlan& plan = *program.plan;
  std::vector<int> launch_of(program.instructions.size(), -1);
  for (size_t launch = 0; launch < plan.launches.size(); ++launch)
    for (const int instruction : plan.launches[launch]) {
      if (instruction < 0 || static_cast<size_t>(instruction) >= launch_of.size())
        return "no such instruction";
      if (std::exchange(launch_of[static_cast<size_t>(instruction)], static_cast<int>(launch)) >= 0)
        return "an instruction runs twice";
      if (plan.launches[launch].size() > 1 &&
          !std::holds_alternative<Loop>(program.instructions[static_cast<size_t>(instruction)]))
        return "a launch joins what is no loop";
    }
  if (std::ranges::count(launch_of, -1) > 0) return "an instruction does not run";
  const auto touches = touches_of(program);
  const auto dependences = dependences_of(touches);
  for (size_t i = 0; i < dependences.size(); ++i)
    for (const int before : dependences[i])
      if (launch_of[static_cast<size_t>(before)] >= launch_of[i])
        return "an instruction runs before one that it depends on";

  const std::vector<Life> lives = lives_of(touches, plan.launches, program.buffers.size());
  std::vector<std::vector<int>> held(plan.slots.size());
  for (size_t b = 0; b < program.buffers.size(); ++b) {
    if (program.buffers[b].kind != Buffer::Kind::scratch || lives[b].first < 0) continue;
    const auto slot = static_cast<size_t>(plan.slot_of.at(b));
    if (slot >= plan.slots.size()) return "a buffer without a slot";
    const Life& whole = plan.slots[slot];
    if (lives[b].first < whole.first || lives[b].last > whole.last) return "a buffer outlives its slot";
    held[slot].push_back(static_cast<int>(b));
  }
  for (std::vector<int>& buffers : held) {
    std::ranges::sort(buffers, {}, [&](int b) { return lives[static_cast<size_t>(b)].first; });
    for (size_t i = 1; i < buffers.size(); ++i) {
      const int earlier = buffers[i - 1], later = buffers[i];
      const int shared = lives[static_cast<size_t>(later)].first;
      if (lives[static_cast<size_t>(earlier)].last > shared) return "two live buffers in one slot";
      if (lives[static_cast<size_t>(earlier)].last < shared) continue;
      // One loop may write the later buffer over the earlier one, if no other loop of the launch uses them.
      const auto users =
          std::ranges::count_if(plan.launches[static_cast<size_t>(shared)], [&](int instruction) {
            return std::ranges::any_of(touches[static_cast<size_t>(instruction)], [&](const Touch& touch) {
              return touch.memory == earlier || touch.memory == later;
            });
          });
      if (users != 1) return "two loops of a launch use one slot";
    }
  }
  return {};
}

}  // namespace tensor
