#include "compiler/tensor/build/build_bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/semantics/learn/enumeration.h"
#include "compiler/tensor/build/estimators.h"
#include "compiler/tensor/build/source_rows.h"
#include "compiler/tensor/build/sums.h"

namespace tensor {
namespace {
using game::Bound;
using semantics::Conditional;
using semantics::Learn;
using semantics::Model;

/// The factor that a key of a learn block gives: a number, or the key itself if its value follows a schedule.
struct Scale {
  double number = 0;
  std::string schedule;
};
Scale scale_of(const Learn& learn, const std::string& key, double absent) {
  const nlohmann::json value = learn.own.value(key, nlohmann::json(absent));
  return value.is_object() ? Scale{0, key} : Scale{value.get<double>(), ""};
}

/// One source's rows in a bound, each drawn `samples` times.
class BoundRows {
 public:
  BoundRows(const ModelBasis& basis, const Learn& learn, const Bound& bound, int64_t samples,
            Program& program, uint32_t& next_site)
      : e(program), model_(basis.model), learn_(learn), bound_(bound), program_(program), samples_(samples) {
    program.batches.emplace_back(bound.source.index);
    known_ = std::make_unique<Translator>(basis, program, static_cast<int>(program.batches.size()) - 1,
                                          bound.source.index, next_site);
    bind_givens(model_, model_[bound.source], program, *known_);
    spaces_ = std::make_unique<RowSpaces>(basis, program, *known_);
    if (samples > 1) spaces_->set_drawn(RowSpaces::rows_axis | spaces_->add_axis(samples));
    drawn();  // if samples > 1, this makes the second batch class
    sums_ = std::make_unique<Sums>(model_, program, *spaces_);
  }

  Emit e;
  Translator& known() { return *known_; }
  Translator& drawn() { return spaces_->at(spaces_->drawn()); }
  RowSpaces& spaces() { return *spaces_; }
  Sums& sums() { return *sums_; }

  ValueId stop(ValueId a) { return e.pointwise(Op::stop, a); }
  Table density(semantics::ConditionalId id) { return sums_->table(model_[id].log_density); }
  ValueId mean_density(semantics::ConditionalId id) { return sums_->mean(density(id)); }
  ValueId number(double value) { return e.constant(value, {drawn().rows()}); }
  std::string named(const std::string& what) const { return what + "@" + model_[bound_.source].name; }
  std::string named(semantics::ConditionalId id) const {
    const Conditional& c = model_[id];
    const std::string owner = c.player.index >= 0 ? model_[c.player].name : "source";
    return named(fmt::format("{}.{}", owner, model_[c.target].name));
  }

  /// The share of each row in the objective: weight / rows. One number for each row of `rows`.
  ValueId coefficient(Translator& rows) {
    Value value;
    value.op = Op::coefficient;
    value.index = bound_.source.index;
    return e.broadcast(program_.add(value), {rows.rows()}, {});
  }
  /// The share of one sample: the row's share divided by the number of samples.
  ValueId sample_share() {
    return e.pointwise(Op::multiply, coefficient(drawn()), 1 / static_cast<double>(samples_));
  }

  /// `by_sample` turns [rows samples] into [rows, samples]; `flat` turns it back.
  ValueId by_sample(ValueId a) { return e.reshape(a, {known().rows(), {samples_, -1}}); }
  ValueId flat(ValueId a) { return e.reshape(a, {drawn().rows()}); }
  ValueId over_samples(ValueId per_row) {
    return e.broadcast(per_row, {known().rows(), {samples_, -1}}, {0});
  }

  ValueId scaled(ValueId value, const Scale& scale) {
    if (scale.schedule.empty()) return e.pointwise(Op::multiply, value, scale.number);
    Value coefficient;
    coefficient.op = Op::coefficient;
    coefficient.index = scheduled_coefficients(model_, learn_).at(scale.schedule);
    return e.multiply(value, e.broadcast(program_.add(coefficient), e.shape(value), {}));
  }

  /// The sum over the rows of the whole batch, also those of other ranks.
  ValueId over_batch(ValueId per_row) {
    return e.operation(Op::sum_ranks, {e.reduce(Op::sum, per_row, {0})}, {}, {bound_.source.index});
  }

  /// Free bits (Kingma et al. 2016). While the mean over the batch is above `least`, each row keeps its
  /// value. Otherwise each row gets `least`, which passes no gradient to `per_row`.
  ValueId at_least(ValueId per_row, const Scale& least) {
    if (least.schedule.empty() && least.number == 0) return per_row;
    const Shape each = e.shape(per_row);
    const ValueId count = over_batch(e.constant(1, each));
    const ValueId mean = stop(e.broadcast(e.divide(over_batch(per_row), count), each, {}));
    const ValueId floor = scaled(e.constant(1, each), least);
    return e.pointwise(Op::where, {e.pointwise(Op::greater, mean, floor), per_row, floor});
  }

  /// Records that `value` counts in the objective with the factor `sign` times `scale`.
  void record(const std::string& name, ValueId value, double sign, const Scale& scale,
              std::vector<Objective>& objective) {
    record(name, value, scale.schedule.empty() ? sign * scale.number : sign, objective);
    objective.back().schedule = scale.schedule;
  }
  void record(const std::string& name, ValueId value, double factor, std::vector<Objective>& objective) {
    const bool repeated = e.shape(value)[0] == drawn().rows();
    ValueId sum = e.reduce(Op::sum, value, {0});
    if (repeated) sum = e.pointwise(Op::multiply, sum, 1 / static_cast<double>(samples_));
    program_.outputs.push_back({name, sum});
    objective.push_back({{name, factor}, {}});
  }

  const Model& model_;
  const Learn& learn_;
  const Bound& bound_;
  Program& program_;
  int64_t samples_;

 private:
  std::unique_ptr<Translator> known_;
  std::unique_ptr<RowSpaces> spaces_;
  std::unique_ptr<Sums> sums_;
};

class BoundBuilder {
 public:
  BoundBuilder(const ModelBasis& basis, const game::Bounds& bounds, const Learn& learn)
      : basis_(basis), model_(basis.model), bounds_(bounds), learn_(learn) {}

  using Add = void (BoundBuilder::*)(BoundRows&, Phase&);

  /// One phase in which every player with an optimizer maximizes the bound; with `encoders_only`, only
  /// encoders do.
  Phase build(const std::string& name, Add add, int64_t samples, bool encoders_only = false) {
    Phase phase;
    phase.program = empty_program(basis_, name);
    for (size_t p = 0; p < model_.players.size(); ++p) {
      const semantics::Player& player = model_.players[p];
      if (is_frozen(learn_, player) || (encoders_only && player.role != semantics::Role::encoder) ||
          !plays(p))
        continue;
      phase.program.updates.push_back({static_cast<int>(p), {}, {}});
    }
    for (const Bound& bound : bounds_.sources) {
      BoundRows rows(basis_, learn_, bound, samples, phase.program, next_site_);
      (this->*add)(rows, phase);
    }
    return phase;
  }

  // E_q [sum log p(known | ...)] - beta sum KL + alpha log q(known | ...) (docs/methods.md, "elbo").
  void add_elbo(BoundRows& rows, Phase& phase) {
    const Scale beta = scale_of(learn_, "beta", 1), alpha = scale_of(learn_, "alpha", 0);
    const Scale free_bits = scale_of(learn_, "free_bits", 0);
    const std::vector<Drawn> latents = draw_latents(rows);
    ValueId elbo = rows.number(0);
    for (const auto id : rows.bound_.evidence) {
      const ValueId density = rows.mean_density(id);
      elbo = rows.e.add(elbo, density);
      rows.record(rows.named(id), density, 1, phase.objective);
    }
    for (size_t i = 0; i < latents.size(); ++i) {
      const game::Latent& latent = rows.bound_.latents[i];
      const ValueId kl = rows.sums().mean(divergence(rows, latent, latents[i]));
      const std::string& name = model_[model_[latent.prior].target].name;
      const ValueId counted = rows.at_least(kl, free_bits);
      elbo = rows.e.subtract(elbo, rows.scaled(counted, beta));
      rows.record(rows.named("kl." + name), kl, -1, beta, phase.objective);
      if (counted == kl) continue;
      rows.record(rows.named("free." + name), rows.e.subtract(counted, kl), -1, beta, phase.objective);
    }
    const ValueId share = rows.sample_share();
    phase.program.shared.push_back({elbo, share});
    for (const auto id : rows.bound_.recognised) {
      const ValueId density = rows.mean_density(id);
      rows.record(rows.named(id), density, 1, alpha, phase.objective);
      phase.program.shared.push_back({rows.scaled(density, alpha), share});
    }
    add_scores(rows, latents, learning_signal(rows, elbo), share, phase);
  }

  // log mean over samples of p(known, latents) / q(latents).
  void add_iwae(BoundRows& rows, Phase& phase) {
    const std::vector<Drawn> latents = draw_latents(rows);
    const ValueId log_weight = rows.sums().log_sum_exp(log_weights(rows, latents));
    const ValueId bound = log_mean_exp(rows, log_weight);
    rows.record(rows.named("bound"), bound, 1, phase.objective);
    phase.program.shared.push_back({bound, rows.coefficient(rows.known())});
    add_scores(rows, latents, vimco_signal(rows, log_weight, bound), rows.coefficient(rows.drawn()), phase);
  }

  // ELBO - log p(known) + multiplier log p(known). log p is the importance-weighted estimate
  // (docs/methods.md, "libi").
  void add_constrained(BoundRows& rows, Phase& phase) {
    Emit& e = rows.e;
    const std::vector<Drawn> latents = draw_latents(rows);
    const ValueId log_weight = rows.sums().log_sum_exp(log_weights(rows, latents));
    const ValueId bound = log_mean_exp(rows, log_weight);
    const ValueId elbo = mean_log_weight(rows, latents);
    rows.record(rows.named("bound"), bound, 0, phase.objective);
    rows.record(rows.named("elbo"), elbo, 1, phase.objective);
    Value multiplier;
    multiplier.op = Op::coefficient;
    multiplier.index = multiplier_coefficient(model_);
    const ValueId scale = e.pointwise(Op::subtract, phase.program.add(multiplier), 1.0);
    const ValueId share = rows.coefficient(rows.known());
    phase.program.shared.push_back({elbo, rows.sample_share()});
    phase.program.shared.push_back({bound, e.multiply(share, e.broadcast(scale, e.shape(share), {}))});
    const ValueId of_bound = vimco_signal(rows, log_weight, bound);
    add_scores(rows, latents, learning_signal(rows, elbo), rows.sample_share(), phase);
    const ValueId each = rows.coefficient(rows.drawn());
    add_scores(rows, latents, of_bound, e.multiply(each, e.broadcast(scale, e.shape(each), {})), phase);
  }

  // Each sample has its normalized importance as weight: the decoder maximizes log p, the encoders log q.
  void add_rws(BoundRows& rows, Phase& phase) {
    const auto constant = [&](const Conditional& q, Translator& at) {
      return drawn_constant(model_, q, phase.program, at);
    };
    std::vector<Drawn> latents;
    for (const game::Latent& latent : rows.bound_.latents) {
      if (add_sum(rows, latent, true, latents)) continue;
      bind_drawn(rows, latent, constant);
      latents.push_back({rows.density(latent.posterior)});
    }
    Sums& sums = rows.sums();
    const ValueId log_weight = sums.whole(log_weights(rows, latents));
    const ValueId bound = log_mean_exp(rows, sums.log_sum_exp(log_weights(rows, latents)));
    rows.record(rows.named("bound"), bound, 1, phase.objective);
    // Weight = exp(log w - log sum w). `bound` is log sum w - log samples, and the share contains 1 /
    // samples.
    const Shape whole = sums.whole_shape();
    const auto everywhere = [&](ValueId per_sample) {
      return whole.size() == 1 ? per_sample : rows.e.broadcast(per_sample, whole, {0});
    };
    const ValueId above = everywhere(rows.flat(rows.over_samples(bound)));
    const ValueId normalised = rows.e.pointwise(Op::exp, rows.e.subtract(log_weight, above));
    const ValueId seed = rows.stop(rows.e.multiply(everywhere(rows.sample_share()), normalised));
    Table p{rows.number(0)}, q{rows.number(0)};
    for (const auto id : rows.bound_.evidence) p = sums.combine(Op::add, p, rows.density(id));
    for (size_t i = 0; i < latents.size(); ++i) {
      p = sums.combine(Op::add, p, rows.density(rows.bound_.latents[i].prior));
      q = sums.combine(Op::add, q, latents[i].log_posterior);
    }
    for (PlayerUpdate& update : phase.program.updates) {
      const bool decoder =
          model_.players[static_cast<size_t>(update.player)].role == semantics::Role::decoder;
      update.terms.push_back({sums.whole(decoder ? p : q), seed});
    }
  }

 private:
  struct Drawn {
    Table log_posterior;
    bool score = false;
    bool summed = false;
  };

  /// Does the player own a conditional in the bound of some source?
  bool plays(size_t player) const {
    const auto owns = [&](semantics::ConditionalId id) {
      return model_[id].player.index == static_cast<int>(player);
    };
    return std::ranges::any_of(bounds_.sources, [&](const Bound& bound) {
      return std::ranges::any_of(bound.evidence, owns) || std::ranges::any_of(bound.recognised, owns) ||
             std::ranges::any_of(bound.latents, [&](const game::Latent& latent) {
               return owns(latent.posterior) || owns(latent.prior);
             });
    });
  }

  /// If the latent is enumerated, binds it to all its values instead of a draw, and returns true.
  bool add_sum(BoundRows& rows, const game::Latent& latent, bool constant,
               std::vector<Drawn>& latents) const {
    const Conditional& q = model_[latent.posterior];
    if (!semantics::is_enumerated(learn_, model_[q.target])) return false;
    latents.push_back({rows.sums().add(q, constant), false, true});
    return true;
  }

  /// Binds the latent to draws: one for every value of the enumerated variables that the latent depends on.
  template <typename Draw>
  void bind_drawn(BoundRows& rows, const game::Latent& latent, Draw draw) const {
    const Conditional& q = model_[latent.posterior];
    RowSpaces& spaces = rows.spaces();
    const Axes axes = spaces.drawn() | spaces.axes_of(q.sample);
    spaces.bind(q.target, draw(q, spaces.at(axes)), axes);
  }

  /// Binds the latents in order. The latent's estimator decides how gradients pass through its draw.
  std::vector<Drawn> draw_latents(BoundRows& rows) {
    std::vector<Drawn> latents;
    for (const game::Latent& latent : rows.bound_.latents) {
      if (add_sum(rows, latent, false, latents)) continue;
      const Estimator estimator = estimator_of(model_, learn_, model_[latent.posterior]);
      bind_drawn(rows, latent, [&](const Conditional& q, Translator& at) {
        return draw_latent(model_, q, estimator, rows.program_, at);
      });
      latents.push_back({rows.density(latent.posterior), estimator.kind == "score"});
    }
    return latents;
  }

  /// If the estimator is `score`, a separate term gives the gradient through the draw. The gradient of log q
  /// itself then has mean zero and is left out.
  Table log_posterior(BoundRows& rows, const Drawn& drawn) const {
    return {drawn.score ? rows.stop(drawn.log_posterior.value) : drawn.log_posterior.value,
            drawn.log_posterior.axes};
  }

  Table divergence(BoundRows& rows, const game::Latent& latent, const Drawn& drawn) const {
    if (latent.kl) return rows.sums().table(latent.kl);
    return rows.sums().combine(Op::subtract, log_posterior(rows, drawn), rows.density(latent.prior));
  }

  /// The log-weight log p(known, latents) - log q(latents), as a table. These weights are normalized over the
  /// samples, so the gradient of log q does not have mean zero: estimators of kind `score` keep it too. For
  /// an enumerated latent, log q is left out: the sum over all its values counts each value with p alone.
  Table log_weights(BoundRows& rows, const std::vector<Drawn>& latents) const {
    Sums& sums = rows.sums();
    Table sum{rows.number(0)};
    for (const auto id : rows.bound_.evidence) sum = sums.combine(Op::add, sum, rows.density(id));
    for (size_t i = 0; i < latents.size(); ++i) {
      sum = sums.combine(Op::add, sum, rows.density(rows.bound_.latents[i].prior));
      if (!latents[i].summed) sum = sums.combine(Op::subtract, sum, latents[i].log_posterior);
    }
    return sum;
  }

  /// E log (p(known, latents) / q(latents)), with the mean taken over the values of enumerated latents.
  ValueId mean_log_weight(BoundRows& rows, const std::vector<Drawn>& latents) const {
    ValueId sum = rows.number(0);
    for (const auto id : rows.bound_.evidence) sum = rows.e.add(sum, rows.mean_density(id));
    for (size_t i = 0; i < latents.size(); ++i) {
      sum = rows.e.add(sum, rows.mean_density(rows.bound_.latents[i].prior));
      sum = rows.e.subtract(sum, rows.sums().mean(latents[i].log_posterior));
    }
    return sum;
  }

  ValueId log_mean_exp(BoundRows& rows, ValueId log_weight) const {
    if (rows.samples_ == 1) return log_weight;
    const ValueId values = rows.by_sample(log_weight);
    const ValueId top = rows.stop(rows.e.reduce(Op::max, values, {1}));
    const ValueId exps = rows.e.pointwise(Op::exp, rows.e.subtract(values, rows.over_samples(top)));
    const ValueId sum = rows.e.pointwise(Op::log, rows.e.reduce(Op::sum, exps, {1}));
    return rows.e.pointwise(Op::subtract, rows.e.add(top, sum), std::log(static_cast<double>(rows.samples_)));
  }

  /// How much better a draw was than the other draws: the other samples of its row or, if there is one
  /// sample, the other rows of the batch. Both are independent of the draw, so the score's gradient stays
  /// unbiased.
  ValueId learning_signal(BoundRows& rows, ValueId elbo) const {
    Emit& e = rows.e;
    if (rows.samples_ > 1) {
      const auto others = static_cast<double>(rows.samples_ - 1);
      const ValueId values = rows.by_sample(elbo);
      const ValueId sum = rows.over_samples(e.reduce(Op::sum, values, {1}));
      const ValueId baseline = e.pointwise(Op::multiply, e.subtract(sum, values), 1 / others);
      return rows.stop(rows.flat(e.subtract(values, baseline)));
    }
    // One row's share of the batch mean. A row that is alone in its batch has no other rows to compare with.
    const Shape each = {rows.known().rows()};
    const ValueId count = rows.over_batch(e.constant(1, each));
    const ValueId share = e.broadcast(e.pointwise(Op::divide, 1.0, count), each, {});
    const ValueId sum = e.broadcast(rows.over_batch(elbo), e.shape(elbo), {});
    const ValueId rest = e.pointwise(Op::maximum, e.pointwise(Op::subtract, 1.0, share), 1e-6);
    const ValueId baseline = e.divide(e.multiply(e.subtract(sum, elbo), share), rest);
    return rows.stop(e.subtract(elbo, baseline));
  }

  /// The bound minus its value if the sample's weight were the geometric mean of the other samples' weights
  /// (VIMCO: Mnih, Rezende 2016).
  ValueId vimco_signal(BoundRows& rows, ValueId log_weight, ValueId bound) const {
    if (rows.samples_ == 1) return learning_signal(rows, log_weight);
    Emit& e = rows.e;
    const auto samples = static_cast<double>(rows.samples_);
    const ValueId values = rows.by_sample(log_weight);
    const ValueId sum = rows.over_samples(e.reduce(Op::sum, values, {1}));
    const ValueId others = e.pointwise(Op::multiply, e.subtract(sum, values), 1 / (samples - 1));
    // log(sum w - w_k + others), computed relative to the greatest weight, so that nothing overflows.
    const ValueId top = rows.over_samples(e.reduce(Op::max, values, {1}));
    const ValueId weights = e.pointwise(Op::exp, e.subtract(values, top));
    const ValueId total = rows.over_samples(e.reduce(Op::sum, weights, {1}));
    const ValueId without = e.pointwise(Op::maximum, e.subtract(total, weights), 0.0);
    const ValueId replaced = e.add(without, e.pointwise(Op::exp, e.subtract(others, top)));
    const ValueId positive = e.pointwise(Op::maximum, replaced, 1e-30);
    const ValueId baseline =
        e.pointwise(Op::subtract, e.add(top, e.pointwise(Op::log, positive)), std::log(samples));
    return rows.stop(rows.flat(e.subtract(rows.over_samples(bound), baseline)));
  }

  void add_scores(BoundRows& rows, const std::vector<Drawn>& latents, ValueId signal, ValueId share,
                  Phase& phase) const {
    for (const Drawn& drawn : latents) {
      if (!drawn.score) continue;
      phase.program.shared.push_back({rows.e.multiply(signal, drawn.log_posterior.value), share});
    }
  }

  const ModelBasis& basis_;
  const Model& model_;
  const game::Bounds& bounds_;
  const Learn& learn_;
  uint32_t next_site_ = 0;
};

}  // namespace

int multiplier_coefficient(const Model& model) { return model.first_free_coefficient(); }

std::map<std::string, int> scheduled_coefficients(const Model& model, const Learn& learn) {
  std::map<std::string, int> places;
  for (const char* key : {"alpha", "beta", "free_bits"})
    if (learn.own.contains(key) && learn.own[key].is_object())
      places.emplace(key, model.first_free_coefficient() + static_cast<int>(places.size()));
  return places;
}

std::vector<Phase> build_bound_phases(const ModelBasis& basis, const game::Bounds& bounds,
                                      const Learn& learn) {
  BoundBuilder builder(basis, bounds, learn);
  const int64_t samples = learn.own.value("samples", int64_t{learn.method == "elbo" ? 1 : 10});
  if (learn.method == "elbo") return {builder.build(learn.name, &BoundBuilder::add_elbo, samples)};
  if (learn.method == "iwae") return {builder.build(learn.name, &BoundBuilder::add_iwae, samples)};
  if (learn.method == "rws") return {builder.build(learn.name, &BoundBuilder::add_rws, samples)};
  std::vector<Phase> phases;
  phases.push_back(builder.build(learn.name + " fit", &BoundBuilder::add_iwae, samples));
  phases.push_back(builder.build(learn.name + " constrain", &BoundBuilder::add_constrained, samples));
  phases.push_back(builder.build(learn.name + " refit", &BoundBuilder::add_elbo, 1, true));
  return phases;
}

}  // namespace tensor
