#include "compiler/game/enumeration.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "compiler/game/elimination.h"
#include "compiler/semantics/learn/bounds.h"
#include "compiler/semantics/learn/enumeration.h"
#include "runtime/schema/setting_bounds.h"

namespace game {
namespace {
using namespace semantics;
using Scope = std::set<int>;  // the numbers of sums

/// The sums of one source and learn block, in the order of the draws that they replace.
class SourceSums {
 public:
  SourceSums(const Model& model, const Learn& learn, SourceId source)
      : model_(model), learn_(learn), source_(source) {}

  /// The conditional's target is drawn or, if it is enumerated, summed over.
  void draw(ConditionalId id) {
    const Conditional& conditional = model_[id];
    Scope scope = scope_of(id);
    if (is_enumerated(learn_, model_[conditional.target])) {
      const int number = static_cast<int>(sums.size());
      sums.push_back({source_, id, *finite_values(model_[conditional.target])});
      lengths_.push_back(sums.back().values);
      scope.insert(number);
      factors_.push_back(scope);
      scopes_[conditional.target] = {number};
    } else {
      scopes_[conditional.target] = scope;
    }
  }

  /// The sums that the conditional depends on.
  Scope scope_of(ConditionalId id) const {
    Scope scope = scope_of(model_[id].target);
    for (const VariableId parent : model_[id].parents) scope.merge(scope_of(parent));
    return scope;
  }

  /// The number of terms of the largest table that the mean of a term needs. The table is over what the term
  /// depends on; all other variables of the probabilities are summed out before.
  int64_t terms_of_mean(ConditionalId term) const {
    const Scope kept = scope_of(term);
    Scope needed = kept;
    std::vector<Scope> factors = {kept};
    for (size_t i = sums.size(); i-- > 0;) {
      if (!needed.contains(static_cast<int>(i))) continue;
      factors.push_back(factors_[i]);
      needed.insert(factors_[i].begin(), factors_[i].end());
    }
    Scope dropped;
    std::ranges::set_difference(needed, kept, std::inserter(dropped, dropped.end()));
    return eliminate(factors, dropped, lengths_).most;
  }

  int64_t terms_of_all() const {
    Scope all;
    for (size_t i = 0; i < sums.size(); ++i) all.insert(static_cast<int>(i));
    return table_size(all, lengths_);
  }

  std::string names() const {
    std::string text;
    for (const Sum& sum : sums)
      text += (text.empty() ? "" : ", ") + model_[model_[sum.conditional].target].name;
    return text;
  }

  std::vector<Sum> sums;

 private:
  Scope scope_of(VariableId variable) const {
    const auto found = scopes_.find(variable);
    return found == scopes_.end() ? Scope{} : found->second;
  }

  const Model& model_;
  const Learn& learn_;
  SourceId source_;
  std::vector<int64_t> lengths_;
  std::vector<Scope> factors_;  // by sum: the sums that its probabilities depend on, and itself
  std::map<VariableId, Scope> scopes_;
};

class SumMaker {
 public:
  SumMaker(const Model& model, const Learn& learn, base::Report& report)
      : model_(model), learn_(learn), report_(report) {}

  void add_bound(const Bound& bound) {
    SourceSums source(model_, learn_, bound.source);
    for (const Latent& latent : bound.latents) {
      const Conditional& q = model_[latent.posterior];
      const bool depends = !source.scope_of(latent.posterior).empty();
      if (depends && estimator_of(model_, learn_, q).kind == "score" && learn_.method != "rws") {
        const std::string& name = model_[q.target].name;
        refuse(source.names(), fmt::format("`{}`, whose estimator is `score`, depends on it", name))
            .help(fmt::format("take another estimator for `{}`, or draw `{}`", name, source.names()));
        return;
      }
      source.draw(latent.posterior);
    }
    int64_t terms = 1;
    for (const ConditionalId id : bound.evidence) terms = std::max(terms, source.terms_of_mean(id));
    for (const Latent& latent : bound.latents)
      for (const ConditionalId id : {latent.posterior, latent.prior})
        terms = std::max(terms, source.terms_of_mean(id));
    // Other methods take the logarithm of the sum or normalize weights, so they sum over all variables
    // jointly.
    if (learn_.method != "elbo") terms = std::max(terms, source.terms_of_all());
    keep(source, terms);
  }

  void add_game(const SourceGame& game) {
    SourceSums source(model_, learn_, game.source);
    const std::string& name = model_[game.source].name;
    bool summed = false;
    for (const Completion& completion : game.completions) {
      for (const Draw& draw : completion.draws) {
        const Variable& target = model_[model_[draw.conditional].target];
        if (completion.chain && is_enumerated(learn_, target)) {
          refuse(target.name, fmt::format("a chain completes it in source `{}`", name))
              .help(
                  fmt::format("leave `{}` out of `enumerate`, or `{}` out of `sources`", target.name, name));
          return;
        }
        summed = summed || is_enumerated(learn_, target);
        if (!completion.chain) source.draw(draw.conditional);
      }
      if (!completion.chain || !summed) continue;
      refuse(source.names(), fmt::format("a chain of source `{}` follows its draw", name))
          .help(fmt::format("leave `{}` out of `enumerate`, or `{}` out of `sources`", source.names(), name));
      return;
    }
    int64_t terms = 1;
    for (const ConditionalId id : game.terms) terms = std::max(terms, source.terms_of_mean(id));
    keep(source, terms);
  }

  /// Called after all sources: every enumerated variable must have been drawn in one of them. This is not
  /// checked if rows may have missing values.
  std::vector<Sum> finish() {
    if (rows_may_miss(model_, learn_.sources, semantics::MissingValues::usual)) return sums_;
    for (const auto& name : learn_.own.value("enumerate", nlohmann::json::array())) {
      const bool summed = std::ranges::any_of(sums_, [&](const Sum& sum) {
        return model_[model_[sum.conditional].target].name == name.get<std::string>();
      });
      if (!summed && !refused_) refuse(name, "no player draws it in the sources that are learned from");
    }
    return sums_;
  }

 private:
  base::Diagnostic& refuse(const std::string& variables, const std::string& why) {
    refused_ = true;
    const auto written = learn_.values.find(learn_.method == "symmetric" ? "enumerate" : "estimator");
    return report_
        .add(base::E0810, written == learn_.values.end() ? learn_.span : written->second, "enumerate",
             variables)
        .label(why);
  }

  void keep(const SourceSums& source, int64_t terms) {
    sums_.insert(sums_.end(), source.sums.begin(), source.sums.end());
    const int64_t limit = enumerate_limit(learn_);
    if (terms <= limit) return;
    const std::string count =
        terms == std::numeric_limits<int64_t>::max() ? "more than 2^63" : fmt::format("{}", terms);
    auto& error =
        refuse(source.names(), fmt::format("the sum has {} terms in source `{}`, and `enumerate_limit` is {}",
                                           count, model_[source.sums[0].source].name, limit));
    const std::string help = terms <= bounds::enumerated.most
                                 ? fmt::format(
                                       "`enumerate_limit = {}` allows it; each row then takes its "
                                       "memory so many times over",
                                       terms)
                                 : "let it be drawn, or sum over fewer variables";
    error.help(help);
  }

  const Model& model_;
  const Learn& learn_;
  base::Report& report_;
  std::vector<Sum> sums_;
  bool refused_ = false;
};

}  // namespace

std::vector<std::vector<Sum>> derive_sums(const Model& model, const Game& game, base::Report& report) {
  std::vector<std::vector<Sum>> all;
  for (size_t l = 0; l < model.learns.size(); ++l) {
    const Learn& learn = model.learns[l];
    auto& sums = all.emplace_back();
    if (!enumerates(learn)) continue;
    SumMaker maker(model, learn, report);
    for (const Bound& bound : game.bounds[l].sources) maker.add_bound(bound);
    for (const SourceGame& source : game.sources)
      if (learn.method == "symmetric" && std::ranges::count(learn.sources, source.source) > 0)
        maker.add_game(source);
    sums = maker.finish();
  }
  return all;
}

}  // namespace game
