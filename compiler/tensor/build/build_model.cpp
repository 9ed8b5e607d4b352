#include "compiler/tensor/build/build_model.h"

#include <algorithm>

#include "compiler/game/rows/missing.h"
#include "compiler/game/supervised.h"
#include "compiler/game/unlearned.h"
#include "compiler/tensor/build/build_bound.h"
#include "compiler/tensor/build/build_jacobian.h"
#include "compiler/tensor/build/build_parameters.h"
#include "compiler/tensor/build/build_update.h"

namespace tensor {
namespace {

using semantics::ConditionalId;
using semantics::Learn;
using semantics::Model;

/// Sends programs through the passes, in the order in which they are added.
class ModelBuilder {
 public:
  explicit ModelBuilder(const Model& model, Trace trace = {}, bool for_gpu = false)
      : trace_(std::move(trace)), for_gpu_(for_gpu) {
    for (const Learn& learn : model.learns) {
      schema::Learn& learned = made_.learns.emplace_back();
      for (const auto& [key, coefficient] : scheduled_coefficients(model, learn))
        learned.scheduled[key].coefficient = coefficient;
    }
  }

  void refuse_learns(const std::string& why) {
    for (schema::Learn& learned : made_.learns) learned.unavailable = why;
  }

  void add_learns(const Model& model, const game::Game& game) {
    const ModelBasis basis(model, game.graph);
    for (size_t l = 0; l < model.learns.size(); ++l) {
      const Learn& learn = model.learns[l];
      schema::Learn& learned = made_.learns[l];
      add_phases(basis, game, l, learn, learned, learned);
      if (learn.method == "libi") learned.multiplier = multiplier_coefficient(model);
      for (const semantics::SourceId source : game.bounds[l].skipped) learned.skipped.push_back(source.index);
      learned.unlearned = game::unlearned_lines(model, game, l);
    }
  }

  void add_splits(const game::MissingGame& missing) { made_.splits = missing.splits; }

  /// The phases for rows with missing values, for learn blocks whose steps are completely compiled.
  void add_missing(const game::MissingGame& missing) {
    const ModelBasis basis(missing.model, missing.game.graph);
    for (size_t l = 0; l < missing.model.learns.size(); ++l) {
      Learn learn = missing.model.learns[l];
      learn.name += " with missing values";  // the name of its programs
      schema::Learn& learned = made_.learns[l];
      for (const game::RefusedSplit& refused : missing.refused)
        if (refused.learn == l) learned.missing.refused[static_cast<int>(refused.split)] = refused.why;
      for (const size_t split : missing.splits_of(l))
        learned.missing.splits.push_back(static_cast<int>(split));
      if (!learned.missing.splits.empty())
        add_phases(basis, missing.game, l, learn, learned, learned.missing);
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
    schema::ConditionalPrograms& programs = made_.conditionals.emplace_back();
    programs.draw = add(graphs.sample);
    if (graphs.mean) programs.mean = add(*graphs.mean);
    if (auto jacobian = build_jacobian(basis, id)) programs.jacobian = add(std::move(*jacobian));
    programs.log_density = add(graphs.log_density);
    if (of_player && terms && !basis.model[id].parameters.empty()) programs.term = add(build_term(basis, id));
    if (of_player) programs.initial = add(build_initial(basis, id));
    made_.graphs.push_back(of_player ? std::optional(std::move(graphs)) : std::nullopt);
  }

  /// The updates of all optimizers, because a flag may choose another one than the file.
  void add_updates() {
    for (UpdateProgram& update : build_updates())
      made_.optimizers.push_back({update.optimizer, update.needs, add(std::move(update.program))});
    made_.clip = add(build_clip());
  }

  void add_draws(const ModelBasis& basis, ConditionalId id) {
    schema::ConditionalPrograms& programs = made_.conditionals.emplace_back();
    programs.draw = add(build_draw(basis, id));
    programs.initial = add(build_initial(basis, id));
  }

  ModelPrograms take() { return std::move(made_); }

 private:
  int add(Program program) {
    made_.programs.push_back(make_kernel_program(std::move(program), trace_, for_gpu_));
    return static_cast<int>(made_.programs.size()) - 1;
  }

  schema::Stage add(Stage stage) {
    schema::Stage numbered{add(std::move(stage.program)), {}};
    for (Chain& chain : stage.chains) {
      schema::GibbsChain& added = numbered.chains.emplace_back(
          schema::GibbsChain{chain.source.index, chain.sweeps, chain.site, {}, std::move(chain.tags)});
      for (Program& part : chain.parts) added.parts.push_back(add(std::move(part)));
    }
    return numbered;
  }

  std::vector<schema::Phase> add_all(std::vector<Phase> phases) {
    std::vector<schema::Phase> added;
    for (Phase& phase : phases) {
      schema::Phase& numbered = added.emplace_back();
      for (Stage& stage : phase.stages) numbered.stages.push_back(add(std::move(stage)));
      numbered.program = add(std::move(phase.program));
      numbered.objective.assign(phase.objective.begin(), phase.objective.end());
    }
    return added;
  }

  /// Notes which outputs the keys of a learn block scale.
  static void note_scheduled(const std::vector<Phase>& phases, schema::Learn& learned) {
    for (const Phase& phase : phases)
      for (const Objective& objective : phase.objective)
        if (!objective.schedule.empty())
          learned.scheduled[objective.schedule].outputs.push_back(objective.output);
  }

  /// Adds the phases of learn block `l`, in both orders, to `phases`, which belong to `learned`.
  void add_phases(const ModelBasis& basis, const game::Game& game, size_t l, const Learn& learn,
                  schema::Learn& learned, schema::Phases& phases) {
    if (learn.method == "symmetric" || learn.method == "supervised") {
      const game::Game played = learn.method == "supervised" ? game::supervised(basis.model, game) : game;
      phases.alternating = add_all(build_phases(basis, played, learn, false));
      phases.simultaneous = add_all(build_phases(basis, played, learn, true));
      return;
    }
    // There is one objective for all players, so both orders are the same.
    std::vector<Phase> built = build_bound_phases(basis, game.bounds[l], learn);
    note_scheduled(built, learned);
    phases.alternating = add_all(std::move(built));
    phases.simultaneous = phases.alternating;
  }

  ModelPrograms made_;
  Trace trace_;
  bool for_gpu_;
};

std::vector<ConditionalId> conditionals_of(const Model& model) {
  std::vector<ConditionalId> all;
  for (size_t c = 0; c < model.conditionals.size(); ++c) all.push_back({static_cast<int32_t>(c)});
  return all;
}

}  // namespace

ModelPrograms build_model(const Model& model, const game::Game& game,
                          const std::optional<game::MissingGame>& missing, const Trace& trace, bool for_gpu) {
  ModelBuilder builder(model, trace, for_gpu);
  const std::optional<std::string> refusal = unsupported(model);
  if (refusal)
    builder.refuse_learns(*refusal);
  else
    builder.add_learns(model, game);
  if (missing) builder.add_splits(*missing);
  if (missing && !refusal) builder.add_missing(*missing);
  const ModelBasis basis(model);
  builder.add_source_rows(basis);
  const bool terms = !refusal && std::ranges::any_of(model.learns, [&](const Learn& learn) {
    return semantics::rows_may_miss(model, learn.sources);
  });
  for (const ConditionalId id : conditionals_of(model)) builder.add_conditional(basis, id, terms);
  if (!model.learns.empty() && !refusal) builder.add_updates();
  return builder.take();
}

ModelPrograms build_draws(const Model& model) {
  ModelBuilder builder(model);
  const ModelBasis basis(model);
  for (const ConditionalId id : conditionals_of(model)) builder.add_draws(basis, id);
  return builder.take();
}

}  // namespace tensor
