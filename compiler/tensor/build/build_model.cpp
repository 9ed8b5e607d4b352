#include "compiler/tensor/build/build_model.h"

#include <algorithm>

#include "compiler/game/rows/missing.h"
#include "compiler/game/supervised.h"
#include "compiler/game/unlearned.h"
#include "compiler/tensor/build/build_bound.h"
#include "compiler/tensor/build/build_jacobian.h"
#include "compiler/tensor/build/build_parameters.h"

namespace tensor {
namespace {

using semantics::ConditionalId;
using semantics::Learn;
using semantics::Model;

/// Sends programs through the passes, in the order in which they are added.
class ModelBuilder {
 public:
  explicit ModelBuilder(Trace trace = {}) : trace_(std::move(trace)) {}

  void add_learns(const Model& model, const game::Game& game) {
    const ModelBasis basis(model, game.graph);
    for (size_t l = 0; l < model.learns.size(); ++l) {
      const Learn& learn = model.learns[l];
      ModelPrograms::OfLearn& phases = made_.learns.emplace_back();
      add_phases(basis, game, l, learn, phases);
      if (learn.method == "libi") phases.multiplier = multiplier_coefficient(model);
      phases.skipped = game.bounds[l].skipped;
      phases.unlearned = game::unlearned_lines(model, game, l);
    }
  }

  void refuse_learns(const Model& model, const std::string& why) {
    for (size_t l = 0; l < model.learns.size(); ++l) made_.learns.emplace_back().unavailable = why;
  }

  void add_splits(const game::MissingGame& missing) { made_.splits = missing.splits; }

  /// The phases for rows with missing values, for learn blocks whose steps are completely compiled.
  void add_missing(const game::MissingGame& missing) {
    const ModelBasis basis(missing.model, missing.game.graph);
    for (size_t l = 0; l < missing.model.learns.size(); ++l) {
      Learn learn = missing.model.learns[l];
      learn.name += " with missing values";  // the name of its programs
      auto& phases = made_.learns[l].missing;
      for (const game::RefusedSplit& refused : missing.refused)
        if (refused.learn == l) phases.refused.push_back(refused);
      phases.splits = missing.splits_of(l);
      if (!phases.splits.empty()) add_phases(basis, missing.game, l, learn, phases);
    }
  }

  void add_source_rows(const ModelBasis& basis) {
    for (size_t s = 0; s < basis.model.sources.size(); ++s) {
      const semantics::SourceId source{static_cast<int32_t>(s)};
      made_.source_rows.push_back(add(build_source_rows(basis, source)));
    }
  }

  /// `terms`: a run composes steps of the conditionals' terms.
  void add_conditional(const ModelBasis& basis, ConditionalId id, bool terms) {
    // A source's own family is not exported, and is not part of a chain.
    const bool of_player = basis.model[id].player.index >= 0;
    ModelPrograms::Graphs graphs = {build_parameters(basis, id), build_log_density(basis, id),
                                    build_draw(basis, id), build_mean(basis, id)};
    ModelPrograms::OfConditional& programs = made_.conditionals.emplace_back();
    programs.draw = add(graphs.sample);
    if (graphs.mean) programs.mean = add(*graphs.mean);
    if (auto jacobian = build_jacobian(basis, id)) programs.jacobian = add(std::move(*jacobian));
    programs.log_density = add(graphs.log_density);
    if (of_player && terms && !basis.model[id].parameters.empty()) programs.term = add(build_term(basis, id));
    if (of_player) programs.initial = add(build_initial(basis, id));
    made_.graphs.push_back(of_player ? std::optional(std::move(graphs)) : std::nullopt);
  }

  void add_draws(const ModelBasis& basis, ConditionalId id) {
    ModelPrograms::OfConditional& programs = made_.conditionals.emplace_back();
    programs.draw = add(build_draw(basis, id));
    programs.initial = add(build_initial(basis, id));
  }

  ModelPrograms take() { return std::move(made_); }

 private:
  int add(Program program) {
    made_.programs.push_back(make_kernel_program(std::move(program), trace_));
    return static_cast<int>(made_.programs.size()) - 1;
  }

  ModelPrograms::OfChain add_chain(Chain chain) {
    ModelPrograms::OfChain added = {chain.source.index, chain.sweeps, chain.site, {}, std::move(chain.tags)};
    for (Program& part : chain.parts) added.parts.push_back(add(std::move(part)));
    return added;
  }

  std::vector<ModelPrograms::OfPhase> add_all(std::vector<Phase> phases) {
    std::vector<ModelPrograms::OfPhase> added;
    for (Phase& phase : phases) {
      auto& of_phase = added.emplace_back();
      for (Stage& stage : phase.stages) {
        auto& of_stage = of_phase.stages.emplace_back();
        of_stage.program = add(std::move(stage.program));
        for (Chain& chain : stage.chains) of_stage.chains.push_back(add_chain(std::move(chain)));
      }
      of_phase.program = add(std::move(phase.program));
      of_phase.objective = std::move(phase.objective);
    }
    return added;
  }

  /// Adds the phases of learn block `l`, in both orders, to `phases`.
  template <class Phases>
  void add_phases(const ModelBasis& basis, const game::Game& game, size_t l, const Learn& learn,
                  Phases& phases) {
    if (learn.method == "symmetric" || learn.method == "supervised") {
      const game::Game played = learn.method == "supervised" ? game::supervised(basis.model, game) : game;
      phases.alternating = add_all(build_phases(basis, played, learn, false));
      phases.simultaneous = add_all(build_phases(basis, played, learn, true));
      return;
    }
    // There is one objective for all players, so both orders are the same.
    phases.alternating = add_all(build_bound_phases(basis, game.bounds[l], learn));
    phases.simultaneous = phases.alternating;
  }

  ModelPrograms made_;
  Trace trace_;
};

std::vector<ConditionalId> conditionals_of(const Model& model) {
  std::vector<ConditionalId> all;
  for (size_t c = 0; c < model.conditionals.size(); ++c) all.push_back({static_cast<int32_t>(c)});
  return all;
}

}  // namespace

ModelPrograms build_model(const Model& model, const game::Game& game,
                          const std::optional<game::MissingGame>& missing, const Trace& trace) {
  ModelBuilder builder(trace);
  const std::optional<std::string> refusal = unsupported(model);
  if (refusal)
    builder.refuse_learns(model, *refusal);
  else
    builder.add_learns(model, game);
  if (missing) builder.add_splits(*missing);
  if (missing && !refusal) builder.add_missing(*missing);
  const ModelBasis basis(model);
  builder.add_source_rows(basis);
  const bool terms = !refusal && std::ranges::any_of(model.learns, [&](const Learn& learn) {
    return semantics::rows_may_miss(model, learn);
  });
  for (const ConditionalId id : conditionals_of(model)) builder.add_conditional(basis, id, terms);
  return builder.take();
}

ModelPrograms build_draws(const Model& model) {
  ModelBuilder builder;
  const ModelBasis basis(model);
  for (const ConditionalId id : conditionals_of(model)) builder.add_draws(basis, id);
  return builder.take();
}

}  // namespace tensor
