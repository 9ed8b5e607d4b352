#include "compiler/tensor/build_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/tensor/translate.h"

namespace tensor {
namespace {

using semantics::Conditional;
using semantics::Model;

/// A drawn value is a constant to every term.
ValueId drawn_constant(Program& program, Translator& rows, semantics::NodeId sample) {
  return Emit(program).pointwise(Op::stop, rows.evaluate_rows(sample));
}

/// Binds what a source's rows give.
void bind_givens(const Model& model, const semantics::Source& source, Program& program, Translator& rows) {
  for (const semantics::Given& given : source.givens) {
    const semantics::NodeId node = given.drawn ? model[*given.drawn].sample : given.value;
    rows.bind(given.variable, drawn_constant(program, rows, node));
  }
}

Program empty_program(const Model& model, std::string name) {
  Program program;
  program.name = std::move(name);
  program.parameters = parameter_places(model);
  return program;
}

class PhaseBuilder {
 public:
  PhaseBuilder(const Model& model, const game::Game& game, const semantics::Learn& learn)
      : model_(model), game_(game), learn_(learn), dependencies_(model.graph) {}

  /// The terms of `players`, on rows completed in this program.
  Program build(std::string name, const std::vector<int>& players) {
    Program program = empty_program(model_, std::move(name));
    std::vector<PlayerUpdate> updates;
    for (int player : players) updates.push_back({player, {}, {}});
    for (const game::SourceGame& source : game_.sources) add_source(program, source, updates);
    for (PlayerUpdate& update : updates) {
      if (!update.terms.empty() && !frozen(update.player)) program.updates.push_back(std::move(update));
    }
    return program;
  }

  bool has_terms(int player) const {
    return std::ranges::any_of(game_.sources, [&](const game::SourceGame& source) {
      return learned(source) && std::ranges::any_of(source.terms, [&](game::ConditionalId term) {
               return model_[term].player.index == player;
             });
    });
  }

 private:
  bool learned(const game::SourceGame& source) const {
    return std::ranges::count(learn_.sources, source.source) > 0;
  }
  bool frozen(int player) const {
    const auto found = learn_.optimizers.find(model_.players[static_cast<size_t>(player)].name);
    return found != learn_.optimizers.end() && found->second.kind == "none";
  }

  void add_source(Program& program, const game::SourceGame& given, std::vector<PlayerUpdate>& updates) {
    auto update_of = [&](game::ConditionalId term) {
      return std::ranges::find(updates, model_[term].player.index, &PlayerUpdate::player);
    };
    if (!learned(given) || std::ranges::none_of(given.terms, [&](game::ConditionalId term) {
          return update_of(term) != updates.end();
        }))
      return;
    const semantics::Source& source = model_.sources[static_cast<size_t>(given.source.index)];
    program.batches.push_back(given.source.index);
    Translator rows(model_, dependencies_, program, static_cast<int>(program.batches.size()) - 1,
                    given.source.index, next_site_);
    bind_givens(model_, source, program, rows);
    for (const game::Completion& completion : given.completions) {
      for (const game::Draw& one : completion.draws) {
        const Conditional& conditional = model_[one.conditional];
        rows.bind(conditional.target, drawn_constant(program, rows, conditional.sample));
      }
    }
    Emit emit(program);
    Value coefficient;
    coefficient.op = Op::coefficient;
    coefficient.index = given.source.index;
    const ValueId seed = emit.broadcast(program.add(coefficient), {rows.rows()}, {});
    for (game::ConditionalId term : given.terms) {
      const auto update = update_of(term);
      if (update == updates.end()) continue;
      const Conditional& conditional = model_[term];
      const ValueId density = rows.evaluate_rows(conditional.log_density);
      update->terms.push_back({density, seed});
      program.outputs.push_back({fmt::format("{}.{}@{}", model_[conditional.player].name,
                                             model_[conditional.target].name, source.name),
                                 emit.reduce(Op::sum, density, {0})});
    }
  }

  const Model& model_;
  const game::Game& game_;
  const semantics::Learn& learn_;
  Dependencies dependencies_;
  uint32_t next_site_ = 0;
};

/// A program over the caller's rows whose inputs are the conditional's parents, and more.
struct CallerProgram {
  CallerProgram(const Model& model, const std::string& name, std::vector<semantics::VariableId> inputs,
                int source = -1)
      : program(empty_program(model, name)),
        dependencies(model.graph),
        rows(model, dependencies, program, 0, source, next_site) {
    program.batches = {-1};
    for (semantics::VariableId id : inputs) {
      Value value;
      value.op = Op::input;
      value.name = model[id].name;
      value.shape = {rows.rows()};
      for (int64_t n : model[id].tensor_shape()) value.shape.push_back({n, -1});
      rows.bind(id, program.add(std::move(value)));
    }
  }

  Program program;
  Dependencies dependencies;
  uint32_t next_site = 0;
  Translator rows;
};

std::string name_of(const Model& model, const Conditional& conditional, const char* what) {
  const std::string owner = conditional.player.index >= 0 ? model[conditional.player].name : "source";
  return fmt::format("{} {}.{}", what, owner, model[conditional.target].name);
}

}  // namespace

std::optional<std::string> unsupported(const Model& model, const game::Game& game,
                                       const semantics::Learn& learn) {
  if (learn.method != "symmetric")
    return fmt::format("is of the method {}, which this version of vaec cannot run", learn.method);
  for (const game::SourceGame& source : game.sources) {
    if (std::ranges::count(learn.sources, source.source) == 0) continue;
    if (std::ranges::any_of(source.completions, &game::Completion::chain))
      return fmt::format("needs a Gibbs chain for source {}, which this version of vaec cannot run",
                         model.sources[static_cast<size_t>(source.source.index)].name);
  }
  for (const semantics::Node& node : model.graph.nodes) {
    if (semantics::info(node.op).group == semantics::OpGroup::heavy && node.op != semantics::Op::matmul &&
        !semantics::variables_of(model.graph, node.inputs[1]).empty())
      return "needs layers whose weights depend on a variable, which this version of vaec cannot run";
  }
  return {};
}

std::vector<Program> build_phases(const Model& model, const game::Game& game, const semantics::Learn& learn,
                                  bool simultaneous) {
  PhaseBuilder builder(model, game, learn);
  std::vector<int> players;
  for (size_t i = 0; i < model.players.size(); ++i) {
    if (builder.has_terms(static_cast<int>(i))) players.push_back(static_cast<int>(i));
  }
  std::vector<Program> phases;
  if (simultaneous) {
    phases.push_back(builder.build(learn.name + " all", players));
  } else {
    for (int player : players)
      phases.push_back(
          builder.build(learn.name + " " + model.players[static_cast<size_t>(player)].name, {player}));
  }
  return phases;
}

Program build_draw(const Model& model, semantics::ConditionalId id) {
  const Conditional& conditional = model[id];
  CallerProgram caller(model, name_of(model, conditional, "draw"), conditional.parents);
  caller.program.outputs = {{model[conditional.target].name, caller.rows.evaluate_rows(conditional.sample)}};
  return std::move(caller.program);
}

std::optional<Program> build_mean(const Model& model, semantics::ConditionalId id) {
  const Conditional& conditional = model[id];
  if (!conditional.mean) return {};
  CallerProgram caller(model, name_of(model, conditional, "mean"), conditional.parents);
  caller.program.outputs = {{"mean", caller.rows.evaluate_rows(conditional.mean)}};
  return std::move(caller.program);
}

Program build_initial(const Model& model, semantics::ConditionalId id) {
  const Conditional& conditional = model[id];
  CallerProgram caller(model, name_of(model, conditional, "initial"), {});
  caller.program.outputs = {{model[conditional.target].name, caller.rows.evaluate_rows(conditional.initial)}};
  return std::move(caller.program);
}

Program build_log_density(const Model& model, semantics::ConditionalId id) {
  const Conditional& conditional = model[id];
  std::vector<semantics::VariableId> inputs = conditional.parents;
  inputs.push_back(conditional.target);
  CallerProgram caller(model, name_of(model, conditional, "log_density"), inputs);
  caller.program.outputs = {{"log_density", caller.rows.evaluate_rows(conditional.log_density)}};
  return std::move(caller.program);
}

Program build_source_rows(const Model& model, semantics::SourceId id) {
  const semantics::Source& source = model.sources[static_cast<size_t>(id.index)];
  CallerProgram caller(model, "rows of " + source.name, {}, id.index);
  bind_givens(model, source, caller.program, caller.rows);
  for (const semantics::Given& given : source.givens)
    caller.program.outputs.push_back({model[given.variable].name, caller.rows.bound(given.variable)});
  return std::move(caller.program);
}

}  // namespace tensor
