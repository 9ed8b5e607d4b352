#include "compiler/game/bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/game/names.h"
#include "compiler/game/play.h"
#include "compiler/game/supervised.h"
#include "compiler/semantics/families/divergence.h"
#include "compiler/semantics/learn/bounds.h"

namespace game {
namespace {
using namespace semantics;

class BoundMaker {
 public:
  BoundMaker(const Model& model, semantics::Graph& graph, const completion::Players& players,
             base::Report& report, const Learn& learn, const Source& source)
      : model_(model), graph_(graph), players_(players), report_(report), learn_(learn), source_(source) {
    for (const Given& line : source.givens) known_.insert(line.variable.index);
  }

  /// None if there is an error.
  std::optional<Bound> make(SourceId id) {
    Bound bound{id, {}, {}, {}};
    const size_t errors = report_.diagnostics().size();
    draw(bound);
    if (report_.diagnostics().size() != errors) return std::nullopt;
    for (const Given& line : source_.givens)
      if (const auto density = density_of(line.variable)) bound.evidence.push_back(*density);
    const nlohmann::json alpha = learn_.own.value("alpha", nlohmann::json(0));
    if (alpha.is_object() || alpha > 0) add_recognised(bound);
    expand_divergences(bound);
    return bound;
  }

  bool learned(const Bound& bound) const {
    const auto has_parameters = [&](ConditionalId c) { return !model_[c].parameters.empty(); };
    return std::ranges::any_of(bound.evidence, has_parameters) ||
           std::ranges::any_of(bound.recognised, has_parameters) ||
           std::ranges::any_of(bound.latents, [&](const Latent& latent) {
             return has_parameters(latent.posterior) || has_parameters(latent.prior);
           });
  }

 private:
  /// For a variable that no encoder may draw: the conditional that would, and what it would ignore.
  using Ignoring = std::map<VariableId, std::pair<ConditionalId, VariableId>>;

  base::Diagnostic& refuse(const std::string& why) {
    return report_.add(base::E0812, learn_.span, learn_.method, source_.name, why);
  }

  ConditionalId id_of(size_t index) const { return {static_cast<int32_t>(index)}; }

  std::optional<ConditionalId> decoded(VariableId variable) const {
    for (size_t i = 0; i < model_.conditionals.size(); ++i) {
      const Conditional& c = model_.conditionals[i];
      if (c.target == variable && c.player.index >= 0 && model_[c.player].role == Role::decoder)
        return id_of(i);
    }
    return std::nullopt;
  }

  /// The lines of all sources for this variable: those that state a family for it (`drawn`), or those that
  /// give values of it.
  std::vector<const Given*> lines_of(VariableId variable, bool drawn) const {
    std::vector<const Given*> lines;
    for (const Source& other : model_.sources)
      for (const Given& given : other.givens)
        if (given.variable == variable && given.drawn.has_value() == drawn) lines.push_back(&given);
    return lines;
  }

  /// The conditional that gives the variable's density: the decoder's or, for a root, one that a single
  /// source states. A root that a source gives may have none.
  std::optional<ConditionalId> density_of(VariableId variable) const {
    if (const auto decoder = decoded(variable)) return decoder;
    const auto stated = lines_of(variable, true);
    return stated.size() == 1 ? stated[0]->drawn : std::nullopt;
  }

  void check_prior(VariableId root) {
    const auto stated = lines_of(root, true), sampled = lines_of(root, false);
    if (stated.size() == 1) return;
    const std::string& name = model_[root].name;
    if (stated.size() > 1) {
      auto& error = refuse(fmt::format("{} sources state the prior of `{}`", stated.size(), name));
      for (const Given* line : stated) error.note(line->span, "it is stated here");
      error.help(fmt::format("let the decoder state it: `{} ~ ...`", name));
      return;
    }
    auto& error = refuse(sampled.empty() ? fmt::format("nothing states the prior of `{}`", name)
                                         : fmt::format("the prior of `{}` is known by samples only", name));
    if (!sampled.empty()) error.note(sampled[0]->span, "they are given here");
    error.help(
        fmt::format("`learn symmetric` takes it as it is; a bound needs a density, `{} ~ ...` in the decoder "
                    "or in a source",
                    name));
  }

  /// Draws from the encoders what the decoder needs and the source does not give. A conditional draws as soon
  /// as its parents are there. If two encoders could give a variable, that was reported as an error of the
  /// source before.
  void draw(Bound& bound) {
    std::set<VariableId> missing = needed_of(model_, source_);
    for (const VariableId variable : missing)
      if (!decoded(variable)) check_prior(variable);
    completion::Variables given = known_;
    Ignoring ignoring;
    for (bool progress = true; progress;) {
      progress = false;
      for (size_t i = 0; i < model_.conditionals.size() && !progress; ++i) {
        if (!missing.contains(model_.conditionals[i].target)) continue;
        if (!can_draw(i, given, ignoring)) continue;
        const Conditional& c = model_.conditionals[i];
        given.insert(c.target.index);
        missing.erase(c.target);
        const auto prior = density_of(c.target);
        if (prior) bound.latents.push_back({id_of(i), *prior, {}});
        progress = true;
      }
    }
    if (!missing.empty()) report_undrawn(missing, ignoring);
  }

  bool can_draw(size_t index, const completion::Variables& given, Ignoring& ignoring) const {
    const Conditional& c = model_.conditionals[index];
    if (c.player.index < 0 || model_[c.player].role != Role::encoder) return false;
    if (!std::ranges::all_of(c.parents, [&](VariableId parent) { return given.contains(parent.index); }))
      return false;
    const auto word = std::ranges::find(source_.words, c.target, &Source::Word::variable);
    if (word != source_.words.end()) return word->player == c.player;
    const auto ignored = players_.ignored(static_cast<int>(index), given);
    if (ignored) ignoring[c.target] = {id_of(index), VariableId{*ignored}};
    return !ignored;
  }

  void report_undrawn(const std::set<VariableId>& missing, const Ignoring& ignoring) {
    const auto explained =
        std::ranges::find_if(missing, [&](VariableId variable) { return ignoring.contains(variable); });
    const VariableId undrawn = explained != missing.end() ? *explained : *missing.begin();
    const std::string& name = model_[undrawn].name;
    auto& error = refuse(fmt::format("the encoders do not draw `{}` directly", name));
    if (explained != missing.end()) {
      const auto& [conditional, ignored] = ignoring.at(undrawn);
      error.note(model_[conditional].span,
                 fmt::format("this would ignore `{}`, which is known or drawn", model_[ignored].name));
    }
    error.note(source_.span, "the source is here")
        .help(fmt::format("let an encoder give `{}` from what the source gives, or leave the source out by "
                          "`sources`",
                          name));
  }

  void add_recognised(Bound& bound) const {
    for (size_t i = 0; i < model_.conditionals.size(); ++i) {
      const Conditional& c = model_.conditionals[i];
      if (c.player.index < 0 || model_[c.player].role != Role::encoder || !known_.contains(c.target.index))
        continue;
      if (std::ranges::all_of(c.parents, [&](VariableId parent) { return known_.contains(parent.index); }))
        bound.recognised.push_back(id_of(i));
    }
  }

  /// Looks for a closed form of each latent's divergence. It may depend only on variables that are drawn
  /// before the latent, so the parents of the prior must be among them.
  void expand_divergences(Bound& bound) {
    completion::Variables before = known_;
    for (Latent& latent : bound.latents) {
      const Conditional& prior = model_[latent.prior];
      const bool ordered = std::ranges::all_of(
          prior.parents, [&](VariableId parent) { return before.contains(parent.index); });
      if (ordered && learn_.own.value("analytic_kl", true))
        latent.kl = expand_kl(graph_, model_[latent.posterior], prior);
      const std::string& name = model_[prior.target].name;
      if (!latent.kl && learn_.own.value("analytic_kl", false))
        refuse(ordered ? fmt::format("the divergence of `{}` has no closed form", name)
                       : fmt::format("the prior of `{}` depends on what is drawn after it", name))
            .help("`analytic_kl = false` estimates it by the draws");
      before.insert(prior.target.index);
    }
  }

  const Model& model_;
  semantics::Graph& graph_;
  const completion::Players& players_;
  base::Report& report_;
  const Learn& learn_;
  const Source& source_;
  completion::Variables known_;
};

std::vector<SourceId> sources_without_given_terms(const Model& model, const Learn& learn,
                                                  base::Report& report) {
  std::vector<SourceId> without;
  for (const SourceId id : learn.sources)
    if (given_terms(model, model[id]).empty()) without.push_back(id);
  const std::vector<SourceId> learned = learned_sources(model, learn);
  if (std::ranges::all_of(learned, [&](SourceId id) { return std::ranges::count(without, id) > 0; }))
    report.add(base::E0811, learn.span, learn.method,
               "a source that gives all variables of some conditional");
  return without;
}

}  // namespace

bool is_bound(const Learn& learn) {
  return learn.method == "elbo" || learn.method == "iwae" || learn.method == "rws" || learn.method == "libi";
}

std::optional<Bound> derive_bound(const Model& model, semantics::Graph& graph,
                                  const completion::Players& players, base::Report& report,
                                  const Learn& learn, SourceId source) {
  BoundMaker maker(model, graph, players, report, learn, model[source]);
  auto bound = maker.make(source);
  return bound && maker.learned(*bound) ? std::move(bound) : std::nullopt;
}

std::vector<Bounds> derive_bounds(const Model& model, semantics::Graph& graph,
                                  const completion::Players& players, base::Report& report) {
  std::vector<Bounds> all;
  for (const Learn& learn : model.learns) {
    Bounds& bounds = all.emplace_back();
    if (learn.method == "supervised") bounds.skipped = sources_without_given_terms(model, learn, report);
    if (!is_bound(learn)) continue;
    const size_t errors = report.diagnostics().size();
    for (const SourceId id : learn.sources) {
      BoundMaker maker(model, graph, players, report, learn, model[id]);
      auto bound = maker.make(id);
      if (!bound) continue;
      if (maker.learned(*bound)) {
        bounds.sources.push_back(std::move(*bound));
      } else {
        bounds.skipped.push_back(id);
      }
    }
    const std::vector<SourceId> learned = learned_sources(model, learn);
    const bool any = std::ranges::any_of(
        bounds.sources, [&](const Bound& bound) { return std::ranges::count(learned, bound.source) > 0; });
    if (!any && report.diagnostics().size() == errors)
      report.add(base::E0811, learn.span, learn.method, "a source whose bound has parameters");
  }
  return all;
}

}  // namespace game
