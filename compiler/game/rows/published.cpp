#include "compiler/game/rows/published.h"

#include <fmt/format.h>

#include "compiler/game/names.h"
#include "runtime/completion/completion.h"
#include "runtime/schema/published_rows.h"

namespace game {
namespace {
using completion::Ambiguity;
using semantics::Model;

void report_ambiguity(const Model& model, const Ambiguity& ambiguity, base::Report& report) {
  const ConditionalId first = {ambiguity.first.conditional}, second = {ambiguity.second.conditional};
  report
      .add(base::E0705, model.publication->span, model[model[first].target].name,
           fmt::format("{} or {} could draw it", draw_text(model, first), draw_text(model, second)))
      .note(model[first].span, "one is here")
      .note(model[second].span, "the other is here")
      .help("rows are published as `source generated { }` would draw them: let only one player draw it");
}

}  // namespace

std::optional<Published> derive_published(const Model& model, const completion::Players& players,
                                          base::Report& report) {
  if (!model.publication) return std::nullopt;
  completion::Completion completed = completion::complete(players, {});
  if (completed.ambiguity) {
    report_ambiguity(model, *completed.ambiguity, report);
    return std::nullopt;
  }
  Published published{model.publication->variables, {}};
  completion::Variables needed;
  for (const VariableId variable : published.variables) {
    if (!completed.completed.contains(variable.index)) {
      report
          .add(base::E0705, model.publication->span, model[variable].name, "the players alone do not draw it")
          .note(model[variable].span, fmt::format("`{}` is declared here", model[variable].name))
          .help("what is published is drawn wholly from players, never from data: let a player draw it");
      return std::nullopt;
    }
    needed.insert(variable.index);
  }
  completion::prune(players, completed.steps, needed);
  for (const completion::Step& step : completed.steps) {
    Completion& made = published.completions.emplace_back();
    made.chain = step.chain;
    for (const completion::Draw& draw : step.draws) made.draws.push_back({{draw.conditional}, draw.word});
    if (step.chain) made.sweeps = sweeps_of_published_rows;
  }
  return published;
}

std::string published_text(const Model& model, const Published& published) {
  std::string draws;
  for (const Completion& completion : published.completions) {
    std::string step;
    for (const Draw& draw : completion.draws)
      step += (step.empty() ? "" : ", ") + draw_text(model, draw.conditional);
    if (completion.chain) step = fmt::format("a Gibbs chain of {} sweeps over {}", completion.sweeps, step);
    draws += (draws.empty() ? "" : "; ") + step;
  }
  return fmt::format("rows of {}, drawn by {}", variable_names(model, published.variables), draws);
}

}  // namespace game
