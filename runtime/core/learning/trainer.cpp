#include "runtime/core/learning/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "runtime/core/machine/memory_need.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/failure.h"

namespace core {

Trainer::Trainer(Session& session, const Settings& settings, TrainingState state)
    : session_(session),
      settings_(settings),
      learn_(find_learn(session.image, settings.learn)),
      state_(std::move(state)),
      optimizers_(optimizers_of(session.image, settings)),
      exceptions_(std::uncaught_exceptions()) {
  set_coefficients();
  for (const auto* numbers : {&settings.weights, &settings.scheduled})
    weights_change_ |= std::any_of(numbers->begin(), numbers->end(),
                                   [](const auto& entry) { return entry.second.kind != "constant"; });
  if (learn_.method == "libi") libi_.emplace(settings.own, settings.steps);
  executor_ = make_step_executor({session, settings_, optimizers_, state_});
  reduction_ = executor_->reduction();
  load_phases(find_phases());
  begin_totals();
  executor_->begin({phases_, terms_, splits_ ? splits_->shares() : shares_, libi_.has_value()});
}

/// After a failure, a GPU may still have sums that wait for other ranks. It would free memory only after
/// them.
Trainer::~Trainer() {
  if (session_.device && std::uncaught_exceptions() > exceptions_) session_.device->leave_ranks();
}

void Trainer::fetch(bool all) {
  executor_->fetch(all);
  has_parameters_ = has_parameters_ || all;
}

const std::vector<Phase>& Trainer::find_phases() const {
  const std::vector<Phase>& phases =
      settings_.order == "alternating" ? learn_.alternating : learn_.simultaneous;
  if (phases.empty())
    throw Failure(Exit::bad_configuration,
                  fmt::format("learn {} has no program for the order {}", learn_.name, settings_.order));
  return phases;
}

double Trainer::weight_of(const std::string& source, int64_t step) const {
  const auto found = settings_.weights.find(source);
  if (found != settings_.weights.end()) return found->second.at(step);
  return session_.image.sources[static_cast<size_t>(session_.image.source(source))].weight;
}

/// The factor of a term in its utility, at a step.
double Trainer::weight_of(const Term& term, int64_t step) const {
  const double weight = term.factor * weight_of(source_name(term), step);
  for (const auto& [key, scheduled] : learn_.scheduled)
    if (std::ranges::count(scheduled.outputs, term.name) > 0)
      return weight * settings_.scheduled.at(key).at(step);
  return weight;
}

/// The name of the source from whose rows the term is computed. If the rows are a split, of the split's
/// source.
std::string Trainer::source_name(const Term& term) const {
  const std::string rows = term.name.substr(term.name.rfind('@') + 1);
  return splits_ ? session_.image.sources[static_cast<size_t>(splits_->share(rows).source)].name : rows;
}

/// Sets the coefficients of the present step. Returns whether they have changed.
bool Trainer::set_coefficients() {
  std::vector<double> coefficients(session_.image.sources.size());
  for (const std::string& name : learned_sources(settings_))
    if (session_.ranks->share(settings_.batch.at(name)).counts)
      coefficients[static_cast<size_t>(session_.image.source(name))] =
          weight_of(name, state_.step) / static_cast<double>(settings_.batch.at(name));
  if (splits_)
    coefficients = splits_->coefficients([&](int source) {
      return weight_of(session_.image.sources[static_cast<size_t>(source)].name, state_.step);
    });
  const std::vector<float> before = session_.coefficients;
  session_.set_coefficients(coefficients);
  for (const auto& [key, scheduled] : learn_.scheduled)
    session_.coefficients[static_cast<size_t>(scheduled.coefficient)] =
        static_cast<float>(settings_.scheduled.at(key).at(state_.step));
  return session_.coefficients != before;
}

void Trainer::set_pattern_weights() {
  patterns_->set_weights([&](int source) {
    return weight_of(session_.image.sources[static_cast<size_t>(source)].name, state_.step);
  });
}

/// The batch sizes as a user would write them.
std::string Trainer::batch_text() const {
  std::string text = "--batch ";
  for (const auto& [source, rows] : settings_.batch)
    text += fmt::format("{}{}={}", text.back() == ' ' ? "" : ",", source, rows);
  return text;
}

/// Loads the phases. They run one after the other, so they share their memory.
template <class Make>
void Trainer::load_compiled(const std::vector<Phase>& phases, const std::vector<int64_t>& rows,
                            const Make& make) {
  const Machine& machine = executor_->machine();
  int64_t scratch = 0;
  for (const Phase& phase : phases)
    scratch = std::max(scratch, PhaseRunner::scratch(session_.image, phase, rows, machine.device != nullptr));
  require_memory(machine, batch_text(), static_cast<double>(scratch) * sizeof(float));
  const auto memory = std::make_shared<Floats>(allocate(machine, scratch));
  for (const Phase& phase : phases) phases_.push_back(make(phase, memory));
}

void Trainer::load_phases(const std::vector<Phase>& phases) {
  const Image& image = session_.image;
  std::vector<int64_t> source_rows(image.sources.size());
  for (const auto& [name, rows] : settings_.batch)
    if (const int source = image.source(name); source >= 0) source_rows[static_cast<size_t>(source)] = rows;
  for (const int64_t rows : source_rows) shares_.push_back(session_.ranks->share(rows));
  for (const Phase& phase : phases) PhaseRunner::open(session_, phase);
  const Machine& machine = executor_->machine();
  if (!rows_miss_variables()) {
    const std::vector<int64_t> own_rows = rows_of(shares_);
    load_compiled(phases, own_rows, [&](const Phase& phase, const auto& memory) {
      auto runner = std::make_unique<PhaseRunner>(session_, machine, phase, own_rows, memory);
      if (session_.ranks->is_several()) runner->begin_at(first_rows_of(shares_));
      return runner;
    });
  } else if (is_compiled_whole(learn_)) {
    splits_ = std::make_unique<SplitRows>(session_, learn_, settings_);
    set_coefficients();
    load_compiled(splits_->phases(settings_.order), rows_of(splits_->shares()),
                  [&](const Phase& phase, const auto& memory) {
                    return std::make_unique<SplitPhase>(session_, machine, phase, *splits_, memory);
                  });
  } else {
    load_pattern_phases(source_rows);
  }
  for (size_t phase = 0; phase < phases_.size(); ++phase)
    for (const LearningPhase::Term& term : phases_[phase]->terms()) add_term(term, phase, source_rows);
  if (learn_.method == "symmetric") require_terms();
}

/// Refuses players' conditionals that no term would train. The compiler checks this if it knows what the rows
/// miss.
void Trainer::require_terms() const {
  const Image& image = session_.image;
  for (const Conditional& conditional : image.conditionals) {
    if (conditional.player < 0 || !conditional.learned) continue;
    const std::string& player = image.players[static_cast<size_t>(conditional.player)].name;
    if (!settings_.optimizers.at(player).learns()) continue;
    const std::string name = fmt::format("{}.{}", player, image.name_of(conditional.target));
    if (std::none_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return term.name.starts_with(name + "@"); }))
      throw Failure(
          Exit::bad_configuration,
          fmt::format("{} would never be learned, because no row of the sources gives it a term: add "
                      "`source generated {{ }}`, whose rows the other players draw",
                      name));
  }
}

bool Trainer::rows_miss_variables() const {
  return std::ranges::any_of(learned_sources(settings_), [&](const std::string& name) {
    for (const Pattern& pattern : session_.rows.patterns(session_.image.source(name)))
      if (!pattern.missing.empty()) return true;
    return false;
  });
}

void Trainer::load_pattern_phases(const std::vector<int64_t>& source_rows) {
  PatternRequest request;
  request.asked_by = batch_text();
  for (const std::string& name : learned_sources(settings_)) {
    const int source = session_.image.source(name);
    request.sources.push_back({source, source_rows[static_cast<size_t>(source)]});
  }
  for (size_t player = 0; player < session_.image.players.size(); ++player)
    if (!settings_.optimizers.at(session_.image.players[player].name).learns())
      request.frozen.insert(static_cast<int>(player));
  patterns_ = std::make_unique<PatternGame>(session_, executor_->machine(), request);
  set_pattern_weights();
  int64_t runs = 0;
  const auto add = [&](std::vector<int> players) {
    auto phase = std::make_unique<PatternPhase>(session_, *patterns_, std::move(players), runs);
    runs += phase->runs();
    phases_.push_back(std::move(phase));
  };
  const std::vector<int> players = patterns_->players();
  if (settings_.order == "simultaneous") return add(players);
  for (int player : players) add({player});
}

/// If rows miss variables, the programs of a step only add up the player's gradient.
double Trainer::update_bytes(int player) const {
  const auto at = static_cast<size_t>(player);
  if (!patterns_) return optimizers_.at(at).bytes();
  return 3.0 * sizeof(float) * static_cast<double>(session_.image.players.at(at).elements);
}

std::vector<std::string> Trainer::notes() const {
  std::vector<std::string> notes = state_.notes;
  if (std::ranges::all_of(settings_.optimizers, [](const auto& entry) { return !entry.second.learns(); }))
    notes.push_back("no player learns: every optimizer is none");
  const auto add = [&](const std::vector<std::string>& more) {
    notes.insert(notes.end(), more.begin(), more.end());
  };
  if (patterns_) add(patterns_->notes());
  if (patterns_) return notes;
  if (splits_) add(splits_->notes());
  for (const int source : learn_.skipped)
    notes.push_back(fmt::format("source {} is left out: nothing is learned from its {}",
                                session_.image.sources[static_cast<size_t>(source)].name,
                                learn_.method == "supervised" ? "rows alone" : "bound"));
  add(learn_.unlearned);
  return notes;
}

void Trainer::add_term(const LearningPhase::Term& term, size_t phase,
                       const std::vector<int64_t>& source_rows) {
  const Image& image = session_.image;
  const size_t dot = term.name.find('.'), at = term.name.rfind('@');
  const int player = dot == std::string::npos || term.shared ? -1 : image.player(term.name.substr(0, dot));
  const std::string rows_of = at == std::string::npos ? "" : term.name.substr(at + 1);
  const SplitRows::Share share =
      splits_ ? splits_->share(rows_of) : SplitRows::Share{image.source(rows_of), 0, 1};
  const int source = share.source;
  if ((player < 0 && !term.shared) || source < 0)
    throw Failure(Exit::internal, "a learning phase has the output " + term.name);
  const Source& declared = image.sources[static_cast<size_t>(source)];
  // If two phases compute a term of the same name, the values are the same.
  bool known = std::ranges::count(learned_sources(settings_), declared.name) == 0;
  for (const Term& other : terms_) known |= !libi_ && other.name == term.name;
  if (known) return;
  const int64_t rows = splits_ ? share.rows : source_rows[static_cast<size_t>(source)];
  // The terms of patterns are sums over those that count.
  const bool counts = splits_ ? share.counts : patterns_ || shares_[static_cast<size_t>(source)].counts;
  terms_.push_back({term.name, player, rows, term.factor * share.of_batch, share.of_batch, term.sum,
                    term.coefficient, phase, counts, nullptr});
}

/// Joins the terms with their totals in the state. Terms that are new to the run, because it now learns from
/// more sources, begin at zero.
void Trainer::begin_totals() {
  const std::map<std::string, TermSum> kept = std::exchange(state_.sums, {});
  for (Term& term : terms_) {
    const auto found = kept.find(key_of(term));
    term.total = &state_.sums[key_of(term)];
    if (found != kept.end()) *term.total = found->second;
  }
}

/// The term's name in a checkpoint. The phases of libi have terms with the same names.
std::string Trainer::key_of(const Term& term) const {
  return libi_ ? fmt::format("{} in phase {}", term.name, term.phase) : term.name;
}

std::string Trainer::player_name(const Term& term) const {
  return session_.image.players[static_cast<size_t>(term.player)].name;
}

/// The mean log-likelihood of the rows of the phase's last run, in nats per row. Sources are weighted.
double Trainer::log_likelihood(Libi::Phase phase) const {
  double sum = 0, weights = 0, plain = 0, terms = 0;
  for (const Term& term : terms_) {
    if (term.phase != phase || !term.name.starts_with("bound@")) continue;
    // For rows of a pattern: times their share of the source's rows.
    const double weight = term.share * weight_of(source_name(term), state_.step);
    const double mean = executor_->value(term) / static_cast<double>(term.rows);
    sum += weight * mean;
    weights += weight;
    plain += mean;
    terms += 1;
  }
  const std::vector<double> all = session_.ranks->sum({sum, plain});
  return weights > 0 ? all[0] / weights
                     : all[1] / terms;  // a schedule may begin at 0, so all weights may be 0
}

/// Estimates the likelihood that the first phase has reached, from batches whose numbers are of no step.
void Trainer::find_best_likelihood() {
  double sum = 0;
  for (int i = 0; i < Libi::batches_of_best; ++i) {
    const uint64_t batch = static_cast<uint64_t>(state_.step) + (static_cast<uint64_t>(i + 1) << 48);
    executor_->look(Libi::fit, batch);
    sum += log_likelihood(Libi::fit);
  }
  state_.libi.best = sum / Libi::batches_of_best;
}

void Trainer::do_step_of_libi() {
  const Libi::Phase phase = libi_->phase_at(state_.step);
  if (phase == Libi::constrain && !state_.libi.best) find_best_likelihood();
  const auto value = static_cast<float>(state_.libi.multiplier);
  if (float& coefficient = session_.coefficients[static_cast<size_t>(learn_.multiplier)];
      coefficient != value) {
    coefficient = value;
    executor_->coefficients_changed();
  }
  executor_->do_step({phase, phase + size_t{1}});
  if (phase == Libi::constrain) libi_->observe(state_.libi, log_likelihood(phase));
}

void Trainer::do_step() {
  if (weights_change_ && set_coefficients()) {
    executor_->coefficients_changed();
    if (patterns_) set_pattern_weights();
  }
  session_.ranks->set_step(state_.step);
  has_parameters_ = !session_.device;
  libi_ ? do_step_of_libi() : executor_->do_step({0, phases_.size()});
  for (const Term& term : terms_)
    if (!libi_ || term.phase == libi_->phase_at(state_.step)) ++term.total->steps;
  ++state_.step;
}

void Trainer::with_average(const std::function<void()>& work) {
  if (settings_.average <= 0) return work();
  const Image& image = session_.image;
  std::vector<std::vector<float>> last;
  for (size_t i = 0; i < image.players.size(); ++i) {
    const auto player = static_cast<int>(i);
    float* parameters = state_.parameters.of(player);
    last.emplace_back(parameters, parameters + image.players[i].elements);
    std::copy_n(state_.parameters.average_of(player), image.players[i].elements, parameters);
  }
  const auto put_back = [&] {
    for (size_t i = 0; i < last.size(); ++i)
      std::copy(last[i].begin(), last[i].end(), state_.parameters.of(static_cast<int>(i)));
  };
  try {
    work();
  } catch (...) {
    put_back();
    throw;
  }
  put_back();
}

}  // namespace core
