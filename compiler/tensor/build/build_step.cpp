#include "compiler/tensor/build/build_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/semantics/learn/enumeration.h"
#include "compiler/tensor/build/needed_variables.h"
#include "compiler/tensor/build/source_rows.h"
#include "compiler/tensor/build/sums.h"

namespace tensor {
namespace {

using semantics::Conditional;
using semantics::Model;

class PhaseBuilder {
 public:
  PhaseBuilder(const ModelBasis& basis, const game::Game& game, const semantics::Learn& learn)
      : basis_(basis),
        model_(basis.model),
        game_(game),
        learn_(learn),
        needed_variables_(basis.model),
        next_coefficient_(model_.first_free_coefficient()) {}

  /// One phase with the terms of `players`, on rows completed in this phase.
  Phase build(const std::string& name, const std::vector<int>& players) {
    std::vector<PlayerUpdate> updates;
    for (int player : players) updates.push_back({player, {}, {}});
    std::vector<const game::SourceGame*> sources;
    size_t stages = 0;
    for (const game::SourceGame& source : game_.sources) {
      if (!learned(source) || std::ranges::none_of(source.terms, [&](game::ConditionalId term) {
            return std::ranges::count(players, model_[term].player.index) > 0;
          }))
        continue;
      sources.push_back(&source);
      stages = std::max(stages, chains_of(source).size());
    }
    Phase phase;
    for (size_t k = 0; k < stages; ++k) phase.stages.push_back(build_stage(name, k, sources));
    phase.program = empty_program(basis_, name);
    for (const game::SourceGame* source : sources) add_terms(phase, *source, updates);
    for (PlayerUpdate& update : updates) {
      if (!update.terms.empty() && !frozen(update.player)) phase.program.updates.push_back(std::move(update));
    }
    return phase;
  }

  bool has_terms(int player) const {
    return std::ranges::any_of(game_.sources, [&](const game::SourceGame& source) {
      return learned(source) && std::ranges::any_of(source.terms, [&](game::ConditionalId term) {
               return model_[term].player.index == player;
             });
    });
  }

 private:
  using Variables = std::vector<semantics::VariableId>;

  bool learned(const game::SourceGame& source) const {
    return std::ranges::count(learn_.sources, source.source) > 0;
  }
  bool frozen(int player) const { return is_frozen(learn_, model_.players[static_cast<size_t>(player)]); }

  const semantics::Source& source_of(const game::SourceGame& source) const { return model_[source.source]; }
  std::string suffix(const game::SourceGame& source) const { return "@" + source_of(source).name; }
  std::string term_name(game::ConditionalId term, const game::SourceGame& source) const {
    const Conditional& conditional = model_[term];
    return fmt::format("{}.{}{}", model_[conditional.player].name, model_[conditional.target].name,
                       suffix(source));
  }

  /// Places of a source's chains among its completions.
  static std::vector<size_t> chains_of(const game::SourceGame& source) {
    std::vector<size_t> places;
    for (size_t i = 0; i < source.completions.size(); ++i) {
      if (source.completions[i].chain) places.push_back(i);
    }
    return places;
  }

  /// The variables that are known before the completion at `place`.
  Variables known_before(const game::SourceGame& source, size_t place) const {
    Variables known = source.known;
    for (size_t i = 0; i < place; ++i) {
      for (const game::Draw& draw : source.completions[i].draws)
        known.push_back(model_[draw.conditional].target);
    }
    return known;
  }

  /// The rows of a source, with sums over the variables that the learn block enumerates.
  struct SummedRows {
    SummedRows(PhaseBuilder& builder, Program& program, const game::SourceGame& source)
        : rows(builder.rows_of(program, source)),
          spaces(builder.basis_, program, rows),
          sums(builder.model_, program, spaces) {}
    SummedRows(const SummedRows&) = delete;

    Translator rows;
    RowSpaces spaces;
    Sums sums;
  };

  Translator rows_of(Program& program, const game::SourceGame& source) {
    program.batches.push_back(source.source.index);
    return Translator(basis_, program, static_cast<int>(program.batches.size()) - 1, source.source.index,
                      next_site_);
  }

  /// Binds the variables that are known after the chain before (or at the start), then the direct draws up to
  /// `end`. At the start and among the draws, a variable that is not `needed` is left out, but its draws keep
  /// their sites: the other draws have the same numbers in every phase. Returns the variables that no stage
  /// has handed on yet.
  Variables bind_up_to(Program& program, SummedRows& summed, const game::SourceGame& source,
                       std::optional<size_t> chain_before, size_t end, const std::vector<bool>& needed) {
    const auto is_needed = [&](semantics::VariableId id) { return needed[static_cast<size_t>(id.index)]; };
    Translator& rows = summed.rows;
    Variables fresh;
    size_t next = 0;
    if (chain_before) {
      next = *chain_before + 1;
      bind_inputs(model_, known_before(source, next), suffix(source), program, rows);
    } else {
      const std::vector<semantics::Given>& givens = source_of(source).givens;
      for (size_t i = 0; i < givens.size(); ++i) {
        if (is_needed(givens[i].variable))
          bind_given(model_, givens[i], program, rows);
        else
          next_site_ += needed_variables_.draws_of(source.source, i);
      }
      fresh = source.known;
    }
    for (; next < end; ++next) {
      const Conditional& conditional = model_[source.completions[next].draws[0].conditional];
      if (!is_needed(conditional.target)) {
        next_site_ += needed_variables_.draws_of(source.completions[next].draws[0].conditional);
        continue;
      }
      fresh.push_back(conditional.target);
      if (semantics::is_enumerated(learn_, model_[conditional.target])) {
        summed.sums.add(conditional, true);
        continue;
      }
      const Axes axes = RowSpaces::rows_axis | summed.spaces.axes_of(conditional.sample);
      const ValueId drawn = drawn_constant(model_, conditional, program, summed.spaces.at(axes));
      summed.spaces.bind(conditional.target, drawn, axes);
    }
    return fresh;
  }

  Stage build_stage(const std::string& name, size_t k, const std::vector<const game::SourceGame*>& sources) {
    Stage stage;
    stage.program = empty_program(basis_, fmt::format("{} before chain {}", name, k + 1));
    for (const game::SourceGame* source : sources) {
      const std::vector<size_t> chains = chains_of(*source);
      if (k >= chains.size()) continue;
      SummedRows summed(*this, stage.program, *source);
      Translator& rows = summed.rows;
      Variables fresh =
          bind_up_to(stage.program, summed, *source, k > 0 ? std::optional(chains[k - 1]) : std::nullopt,
                     chains[k], needed_variables_.of(*source, {}));
      for (const game::Draw& draw : source->completions[chains[k]].draws) {
        const semantics::VariableId target = model_[draw.conditional].target;
        rows.bind(target, drawn_constant(stage.program, rows, start_of(*source, draw)));
        fresh.push_back(target);
      }
      for (semantics::VariableId variable : fresh)
        stage.program.outputs.push_back({model_[variable].name + suffix(*source), rows.bound(variable)});
      stage.chains.push_back(build_chain(name, *source, chains[k]));
    }
    return stage;
  }

  /// The value with which a chain starts, for the variable that `draw` draws.
  semantics::NodeId start_of(const game::SourceGame& source, const game::Draw& draw) const {
    for (semantics::ConditionalId start : source_of(source).gibbs_starts) {
      if (model_[start].target == model_[draw.conditional].target) return model_[start].sample;
    }
    return model_[draw.conditional].initial;
  }

  Chain build_chain(const std::string& name, const game::SourceGame& source, size_t place) {
    const game::Completion& completion = source.completions[place];
    Chain chain{source.source, completion.sweeps, next_site_++, {}, {}};
    const Variables all = known_before(source, place + 1);
    std::map<semantics::VariableId, int> drawn_by;  // the index of the part
    std::vector<game::ConditionalId> drawn_from;
    for (size_t i = 0; i < completion.draws.size();) {
      const semantics::PlayerId player = model_[completion.draws[i].conditional].player;
      Program part = empty_program(
          basis_, fmt::format("{} chain of {}: {}", name, source_of(source).name, model_[player].name));
      Translator rows = rows_of(part, source);
      bind_inputs(model_, all, suffix(source), part, rows);
      for (; i < completion.draws.size() && model_[completion.draws[i].conditional].player == player; ++i) {
        const Conditional& conditional = model_[completion.draws[i].conditional];
        rows.bind(conditional.target, drawn_constant(model_, conditional, part, rows));
        part.outputs.push_back(
            {model_[conditional.target].name + suffix(source), rows.bound(conditional.target)});
        drawn_by[conditional.target] = static_cast<int>(chain.parts.size());
        drawn_from.push_back(completion.draws[i].conditional);
      }
      chain.parts.push_back(std::move(part));
    }
    for (game::ConditionalId term : source.terms) {
      if (std::ranges::count(drawn_from, term) > 0) chain.tags.push_back(tag_of(term, source, drawn_by));
    }
    return chain;
  }

  Tag tag_of(game::ConditionalId term, const game::SourceGame& source,
             const std::map<semantics::VariableId, int>& drawn_by) {
    Tag tag{term_name(term, source), next_coefficient_++, drawn_by.at(model_[term].target), {}};
    for (semantics::VariableId parent : model_[term].parents) {
      const auto found = drawn_by.find(parent);
      if (found == drawn_by.end() || found->second == tag.part) continue;
      if (std::ranges::count(tag.redrawn_by, found->second) == 0) tag.redrawn_by.push_back(found->second);
    }
    return tag;
  }

  /// Each row's share of a term: the coefficient of the source or, if the term has a tag, of the tag.
  ValueId seed_of(const Phase& phase, game::ConditionalId term, const game::SourceGame& source, Emit& emit,
                  const Translator& rows, Program& program) const {
    Value coefficient;
    coefficient.op = Op::coefficient;
    coefficient.index = source.source.index;
    const std::string name = term_name(term, source);
    for (const Stage& stage : phase.stages) {
      for (const Chain& chain : stage.chains) {
        for (const Tag& tag : chain.tags) {
          if (tag.term == name) coefficient.index = tag.coefficient;
        }
      }
    }
    return emit.broadcast(program.add(coefficient), {rows.rows()}, {});
  }

  void add_terms(Phase& phase, const game::SourceGame& source, std::vector<PlayerUpdate>& updates) {
    Program& program = phase.program;
    SummedRows summed(*this, program, source);
    const std::vector<size_t> chains = chains_of(source);
    std::vector<int> players;
    for (const PlayerUpdate& update : updates) players.push_back(update.player);
    bind_up_to(program, summed, source, chains.empty() ? std::nullopt : std::optional(chains.back()),
               source.completions.size(), needed_variables_.of(source, players));
    Emit emit(program);
    for (game::ConditionalId term : source.terms) {
      const auto update = std::ranges::find(updates, model_[term].player.index, &PlayerUpdate::player);
      if (update == updates.end()) continue;
      const ValueId density = summed.sums.mean(summed.sums.table(model_[term].log_density));
      update->terms.push_back({density, seed_of(phase, term, source, emit, summed.rows, program)});
      program.outputs.push_back({term_name(term, source), emit.reduce(Op::sum, density, {0})});
    }
  }

  const ModelBasis& basis_;
  const Model& model_;
  const game::Game& game_;
  const semantics::Learn& learn_;
  NeededVariables needed_variables_;
  uint32_t next_site_ = 0;
  int next_coefficient_;
};

/// A program over the caller's rows. Its inputs are variables such as the parents of a conditional.
struct CallerProgram {
  CallerProgram(const ModelBasis& basis, const std::string& name, std::vector<semantics::VariableId> inputs,
                int source = -1)
      : program(empty_program(basis, name)), rows(basis, program, 0, source, next_site) {
    program.batches = {-1};
    bind_inputs(basis.model, inputs, "", program, rows);
  }

  Program program;
  uint32_t next_site = 0;
  Translator rows;
};

std::string name_of(const Model& model, const Conditional& conditional, const char* what) {
  const std::string owner = conditional.player.index >= 0 ? model[conditional.player].name : "source";
  return fmt::format("{} {}.{}", what, owner, model[conditional.target].name);
}

}  // namespace

std::optional<std::string> unsupported(const Model& model) {
  for (const semantics::Node& node : model.graph.nodes) {
    if (semantics::info(node.op).group == semantics::OpGroup::library && node.op != semantics::Op::matmul &&
        !semantics::variables_of(model.graph, node.inputs[1]).empty())
      return "needs layers whose weights depend on a variable, which this version of vaec cannot run";
  }
  return {};
}

std::vector<Phase> build_phases(const ModelBasis& basis, const game::Game& game,
                                const semantics::Learn& learn, bool simultaneous) {
  const Model& model = basis.model;
  PhaseBuilder builder(basis, game, learn);
  std::vector<int> players;
  for (size_t i = 0; i < model.players.size(); ++i) {
    if (builder.has_terms(static_cast<int>(i))) players.push_back(static_cast<int>(i));
  }
  std::vector<Phase> phases;
  if (simultaneous) {
    phases.push_back(builder.build(learn.name + " all", players));
  } else {
    for (int player : players)
      phases.push_back(
          builder.build(learn.name + " " + model.players[static_cast<size_t>(player)].name, {player}));
  }
  return phases;
}

Program build_draw(const ModelBasis& basis, semantics::ConditionalId id) {
  const Model& model = basis.model;
  const Conditional& conditional = model[id];
  CallerProgram caller(basis, name_of(model, conditional, "draw"), conditional.parents);
  caller.program.outputs = {{model[conditional.target].name, caller.rows.evaluate_rows(conditional.sample)}};
  return std::move(caller.program);
}

std::optional<Program> build_mean(const ModelBasis& basis, semantics::ConditionalId id) {
  const Model& model = basis.model;
  const Conditional& conditional = model[id];
  if (!conditional.mean) return {};
  CallerProgram caller(basis, name_of(model, conditional, "mean"), conditional.parents);
  caller.program.outputs = {{"mean", caller.rows.evaluate_rows(conditional.mean)}};
  return std::move(caller.program);
}

Program build_initial(const ModelBasis& basis, semantics::ConditionalId id) {
  const Model& model = basis.model;
  const Conditional& conditional = model[id];
  CallerProgram caller(basis, name_of(model, conditional, "initial"), {});
  caller.program.outputs = {{model[conditional.target].name, caller.rows.evaluate_rows(conditional.initial)}};
  return std::move(caller.program);
}

Program build_log_density(const ModelBasis& basis, semantics::ConditionalId id) {
  const Model& model = basis.model;
  const Conditional& conditional = model[id];
  std::vector<semantics::VariableId> inputs = conditional.parents;
  inputs.push_back(conditional.target);
  CallerProgram caller(basis, name_of(model, conditional, "log_density"), inputs);
  caller.program.outputs = {{"log_density", caller.rows.evaluate_rows(conditional.log_density)}};
  return std::move(caller.program);
}

Program build_term(const ModelBasis& basis, semantics::ConditionalId id) {
  const Model& model = basis.model;
  const Conditional& conditional = model[id];
  std::vector<semantics::VariableId> inputs = conditional.parents;
  inputs.push_back(conditional.target);
  CallerProgram caller(basis, name_of(model, conditional, "term"), inputs);
  Emit emit(caller.program);
  Value coefficient;
  coefficient.op = Op::coefficient;
  coefficient.index = 0;
  const ValueId seed = emit.broadcast(caller.program.add(coefficient), {caller.rows.rows()}, {});
  const ValueId density = caller.rows.evaluate_rows(conditional.log_density);
  caller.program.outputs = {
      {fmt::format("{}.{}", model[conditional.player].name, model[conditional.target].name),
       emit.reduce(Op::sum, density, {0})}};
  caller.program.updates = {{conditional.player.index, {{density, seed}}, {}}};
  return std::move(caller.program);
}

Program build_source_rows(const ModelBasis& basis, semantics::SourceId id) {
  const Model& model = basis.model;
  const semantics::Source& source = model.sources[static_cast<size_t>(id.index)];
  CallerProgram caller(basis, "rows of " + source.name, {}, id.index);
  bind_givens(model, source, caller.program, caller.rows);
  for (const semantics::Given& given : source.givens)
    caller.program.outputs.push_back({model[given.variable].name, caller.rows.bound(given.variable)});
  return std::move(caller.program);
}

}  // namespace tensor
