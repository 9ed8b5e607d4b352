#include "runtime/core/learning/step/processor_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/core/learning/step/average.h"
#include "runtime/core/learning/step/not_finite.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/failure.h"

namespace core {

ProcessorSteps::ProcessorSteps(const StepContext& context)
    : session_(context.session), settings_(context.settings), state_(context.state) {
  if (session_.ranks->is_several()) reduction_.emplace(*session_.ranks);
  const Image& image = session_.image;
  for (size_t i = 0; i < context.optimizers.size(); ++i)
    updates_.emplace_back(image, session_.machine, context.optimizers[i],
                          state_.parameters.of(static_cast<int>(i)), state_.optimizers[i]);
  gather_from(hooks_, batch_);
  hooks_.update = [this](int player, const float* gradient) { update(player, gradient); };
  if (reduction_) add_rank_hooks();
}

/// Lets the hooks gather the rows of number `batch`, as it is at that time.
void ProcessorSteps::gather_from(Hooks& hooks, const uint64_t& batch) {
  hooks.gather = [this, &batch](int column, int source, int64_t rows, float* to) {
    session_.rows.gather_random(column, source, settings_.seed, batch,
                                batch_rows(session_, settings_, source, rows), to);
  };
  hooks.gather_pattern = [this, &batch](int column, int source, const Pattern& pattern, const BatchRows& rows,
                                        float* to) {
    session_.rows.gather_random(column, source, pattern, settings_.seed, batch, rows, to);
  };
}

void ProcessorSteps::add_rank_hooks() {
  hooks_.reduce = [this](int player, float* gradient) { reduce(player, gradient); };
  hooks_.sum_ranks = [this](int source, float* values, int64_t count) { sum_ranks(source, values, count); };
  hooks_.gradient_part = [this](int player, float* gradient, int64_t begin, int64_t end) {
    reduction_->add(player, gradient, begin, end);
  };
}

void ProcessorSteps::do_step(PhaseRange phases) {
  batch_ = static_cast<uint64_t>(state_.step);
  if (reduction_) reduction_->begin_step();
  for (phase_ = phases.first; phase_ < phases.end; ++phase_)
    work_->phases[phase_]->run(settings_.seed, batch_, hooks_);
  if (settings_.average > 0) add_to_averages(state_, session_.image, settings_.average);
  for (const Term& term : work_->terms) {
    if (term.phase < phases.first || term.phase >= phases.end) continue;
    const float value = this->value(term);
    if (!std::isfinite(value))
      refuse(session_.image, term, state_.step + 1, std::string(name_of_not_finite(value)) + diverged);
    if (!term.coefficient || *term.coefficient != 0) term.total->sum += value;
  }
}

void ProcessorSteps::look(size_t phase, uint64_t batch) {
  Hooks looking = hooks_;
  looking.update = [](int, const float*) {};
  looking.reduce = {};
  looking.gradient_part = {};
  gather_from(looking, batch);
  work_->phases[phase]->run(settings_.seed, batch, looking);
}

void ProcessorSteps::update(int player, const float* gradient) {
  if (!reduction_) refuse_unless_finite();
  updates_[static_cast<size_t>(player)].run(gradient, settings_.schedule.rate(state_.step, settings_.steps));
}

/// If a term is not finite on any rank, all ranks leave before the update.
void ProcessorSteps::reduce(int player, float* gradient) {
  const bool bad = not_finite_term() != nullptr;
  const int64_t elements = session_.image.players[static_cast<size_t>(player)].elements;
  if (!reduction_->finish(player, gradient, elements, bad)) return;
  std::string cause;
  if (bad) {
    try {
      refuse_unless_finite();
    } catch (const Failure& failure) {
      cause = failure.what();
    }
  }
  for (const std::string& said : session_.ranks->gather(cause))
    if (!said.empty()) throw SharedFailure(Exit::diagnostics, said, session_.ranks->is_first());
}

void ProcessorSteps::sum_ranks(int source, float* values, int64_t count) {
  if (!work_->shares[static_cast<size_t>(source)].counts) std::fill_n(values, count, 0.0F);
  session_.ranks->sum(values, count);
}

/// When a program updates a player, the terms of its phase have already been computed.
void ProcessorSteps::refuse_unless_finite() {
  if (const Term* term = not_finite_term())
    refuse(session_.image, *term, state_.step + 1, name_of_not_finite(*term->value) + cause_of(*term));
}

const Term* ProcessorSteps::not_finite_term() {
  const auto found = std::ranges::find_if(
      work_->terms, [&](const Term& term) { return term.phase == phase_ && !std::isfinite(value(term)); });
  return found == work_->terms.end() ? nullptr : &*found;
}

/// Larger parameters come from a step that was too large.
static constexpr float large_parameter = 1e6;

std::string ProcessorSteps::cause_of(const Term& term) {
  float greatest = 0;
  bool finite = true;
  for (size_t player = 0; player < session_.image.players.size(); ++player) {
    const float* values = state_.parameters.of(static_cast<int>(player));
    for (int64_t i = 0; i < session_.image.players[player].elements; ++i) {
      finite = finite && std::isfinite(values[i]);
      greatest = std::max(greatest, std::abs(values[i]));
    }
  }
  if (!finite || greatest > large_parameter) return diverged;
  DrawWatch watch(session_.image);
  Hooks again = hooks_;
  again.update = [](int, const float*) {};
  // Other ranks do not compute the step again.
  again.reduce = {};
  again.gradient_part = {};
  again.sum_ranks = {};
  again.watch = &watch;
  work_->phases[term.phase]->run(settings_.seed, batch_, again);
  const std::string parameters = fmt::format("no parameter is beyond {:.3g} in size", greatest);
  if (watch.found())
    return fmt::format(" because a draw of {} is {}: {}, so `sample` of its family has no value there",
                       *watch.found(), watch.is_nan() ? "not a number" : "infinite", parameters);
  return fmt::format(
      ": {} and every draw is finite, so the log-density overflows at its family's arguments, or a given "
      "value has probability 0 there",
      parameters);
}

}  // namespace core
