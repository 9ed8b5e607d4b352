#include "runtime/core/execution/phase.h"

#include <algorithm>
#include <numeric>

#include "runtime/core/execution/philox.h"

namespace core {
namespace {

/// Calls `visit` with every program of the phase.
template <class Visit>
void for_each_program(const Phase& phase, const Visit& visit) {
  for (const Stage& stage : phase.stages) {
    visit(stage.program);
    for (const GibbsChain& chain : stage.chains)
      for (int part : chain.parts) visit(part);
  }
  visit(phase.program);
}

}  // namespace

PhaseRunner::PhaseRunner(Session& session, const Machine& machine, const Phase& phase,
                         const std::vector<int64_t>& source_rows, const std::shared_ptr<Floats>& memory)
    : session_(session), machine_(machine), phase_(phase) {
  const Image& image = session.image;
  const auto load = [&](int index) {
    const Program& program = image.programs[static_cast<size_t>(index)];
    return Executor(image, program, machine, class_rows(program, source_rows, 1), memory, &carried_);
  };
  for (const Stage& stage : phase.stages) {
    Step& step = stages_.emplace_back();
    step.program = std::make_unique<Executor>(load(stage.program));
    for (const GibbsChain& chain : stage.chains) {
      Part& ready = step.chains.emplace_back();
      ready.chain = &chain;
      for (int part : chain.parts) ready.parts.push_back(load(part));
    }
  }
  last_ = std::make_unique<Executor>(load(phase.program));
}

void PhaseRunner::begin_at(const std::vector<int64_t>& first_rows) {
  const auto begin = [&](Executor& executor) {
    executor.begin_at(class_rows(executor.program(), first_rows, 0));
  };
  for (Step& stage : stages_) {
    begin(*stage.program);
    for (Part& chain : stage.chains)
      for (Executor& part : chain.parts) begin(part);
  }
  begin(*last_);
}

int64_t PhaseRunner::scratch(const Image& image, const Phase& phase, const std::vector<int64_t>& source_rows,
                             bool on_device) {
  int64_t most = 0;
  for_each_program(phase, [&](int index) {
    const Program& program = image.programs[static_cast<size_t>(index)];
    most = std::max(most, Executor::scratch(program, class_rows(program, source_rows, 1), on_device));
  });
  return most;
}

void PhaseRunner::open(Session& session, const Phase& phase) {
  for_each_program(phase,
                   [&](int index) { session.rows.open(session.image.programs[static_cast<size_t>(index)]); });
}

void PhaseRunner::run(uint64_t seed, uint64_t step, const Hooks& hooks) {
  for (Step& stage : stages_) {
    stage.program->run(seed, step, hooks);
    for (Part& chain : stage.chains) run(chain, seed, step, hooks);
  }
  last_->run(seed, step, hooks);
}

void PhaseRunner::run(Part& ready, uint64_t seed, uint64_t step, const Hooks& hooks) {
  const GibbsChain& chain = *ready.chain;
  std::vector<int> order;
  for (int sweep = 1; sweep <= chain.sweeps; ++sweep) {
    const uint64_t substep = sweep_step(step, static_cast<uint64_t>(sweep));
    order = sweep_order(chain.parts.size(), chain.site, seed, substep);
    const auto work = [&] {
      hooks.next_sweep();
      for (int part : order) ready.parts[static_cast<size_t>(part)].run(seed, substep, hooks);
    };
    if (order.size() <= few_parts)
      repeat(machine_, ready.swept[order], work);
    else
      work();
  }
  const auto place = [&](int part) { return std::find(order.begin(), order.end(), part); };
  for (const Tag& tag : chain.tags) {
    const bool counts = std::any_of(tag.redrawn_by.begin(), tag.redrawn_by.end(),
                                    [&](int part) { return place(part) > place(tag.part); });
    session_.coefficients[static_cast<size_t>(tag.coefficient)] =
        counts ? session_.coefficients[static_cast<size_t>(chain.source)] : 0;
  }
  hooks.begin_sweep(0);
  if (!chain.tags.empty()) hooks.coefficients_changed();
}

bool PhaseRunner::has_chains() const {
  return std::any_of(stages_.begin(), stages_.end(), [](const Step& stage) { return !stage.chains.empty(); });
}

const Tag* PhaseRunner::tag_of(const std::string& term) const {
  for (const Stage& stage : phase_.stages)
    for (const GibbsChain& chain : stage.chains)
      for (const Tag& tag : chain.tags)
        if (tag.term == term) return &tag;
  return nullptr;
}

std::vector<LearningPhase::Term> PhaseRunner::terms() const {
  std::vector<Term> found;
  for (const Objective& objective : phase_.objective)
    found.push_back(
        {objective.output, last_->output(objective.output).data, nullptr, true, objective.factor});
  if (!found.empty()) return found;
  for (const auto& [name, tensor] : last_->outputs()) {
    const Tag* tag = tag_of(name);
    found.push_back(
        {name, tensor.data, tag ? &session_.coefficients[static_cast<size_t>(tag->coefficient)] : nullptr});
  }
  return found;
}

std::vector<int> sweep_order(size_t parts, uint32_t site, uint64_t seed, uint64_t sweep_step) {
  std::vector<int> order(parts);
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i-- > 1;) {
    const uint64_t word = philox_word(seed, sweep_step, site, i);
    std::swap(order[i], order[static_cast<size_t>(word * (i + 1) >> 32)]);
  }
  return order;
}

}  // namespace core
