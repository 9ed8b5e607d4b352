#include "runtime/core/learning/phases/pattern_phase.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/core/machine/memory_need.h"
#include "runtime/core/ranks/ranks.h"
#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

constexpr uint32_t chain_order_site = 0x10000000;  // programs never have so many draws
constexpr int64_t most_runs = 0xffff;              // sub-steps of a step (runtime/image.md)

completion::Players players_of(const Image& image) {
  std::vector<completion::Conditional> conditionals;
  for (const Conditional& conditional : image.conditionals)
    conditionals.push_back(
        {conditional.player, conditional.target, conditional.parents, conditional.learned});
  return {static_cast<int>(image.variables.size()), std::move(conditionals)};
}

std::string draw_text(const Image& image, int conditional) {
  const Conditional& drawn = image.conditionals[static_cast<size_t>(conditional)];
  return fmt::format("{} ~ {}", image.name_of(drawn.target),
                     image.players[static_cast<size_t>(drawn.player)].name);
}

/// Cuts a sweep into pieces that are replayed as a whole: all parts in this order if few orders are possible,
/// else single parts.
std::vector<std::vector<int>> pieces_of(const std::vector<int>& order) {
  if (order.size() <= few_parts) return {order};
  std::vector<std::vector<int>> pieces;
  for (int part : order) pieces.push_back({part});
  return pieces;
}

}  // namespace

PatternGame::PatternGame(Session& session, const Machine& machine, const PatternRequest& request)
    : session_(session), machine_(machine), frozen_(request.frozen) {
  const completion::Players players = players_of(session.image);
  share_memory(request);
  for (const PatternRequest::OfSource& requested : request.sources) {
    const std::vector<Pattern> patterns = session.rows.patterns(requested.source);
    int64_t place = 0, used = 0;
    const std::vector<PatternPart> parts = apportion(patterns, requested.batch);
    for (size_t i = 0; i < patterns.size(); ++i) {
      if (add(requested.source, patterns[i], players, place, parts[i].rows, requested.batch, parts[i].share))
        ++used;
      place += parts[i].rows;
    }
    if (used == 0)
      throw Failure(Exit::bad_data,
                    fmt::format("source {}: no player has a term for any of its rows",
                                session.image.sources[static_cast<size_t>(requested.source)].name));
  }
}

/// The programs never run at the same time, so they share memory. It must fit each of them at each number of
/// rows: a program may need less memory for more rows, because the layouts differ.
void PatternGame::share_memory(const PatternRequest& request) {
  const Image& image = session_.image;
  std::set<int64_t> rows;
  for (const PatternRequest::OfSource& requested : request.sources)
    for (const PatternPart& part : apportion(session_.rows.patterns(requested.source), requested.batch))
      rows.insert(session_.ranks->share(part.rows).rows);
  int64_t most = 0;
  const auto count = [&](int program) {
    if (program < 0) return;
    const Program& entry = image.programs[static_cast<size_t>(program)];
    for (const int64_t batch_rows : rows)
      most = std::max(most, Executor::scratch(entry, std::vector<int64_t>(entry.batches.size(), batch_rows),
                                              machine_.device != nullptr));
  };
  for (const PatternRequest::OfSource& requested : request.sources)
    count(image.sources[static_cast<size_t>(requested.source)].program);
  for (const Conditional& conditional : image.conditionals)
    for (const int program : {conditional.draw, conditional.initial, conditional.term}) count(program);
  require_memory(machine_, request.asked_by, static_cast<double>(most) * sizeof(float));
  memory_ = std::make_shared<Floats>(allocate(machine_, most));
}

std::string PatternGame::rows_text(int source, const Pattern& pattern) const {
  const Image& image = session_.image;
  const std::string& name = image.sources[static_cast<size_t>(source)].name;
  if (pattern.missing.empty()) return "source " + name;
  return fmt::format("source {}, the {} without {}", name, counted(pattern.count, "row"),
                     image.names({pattern.missing.begin(), pattern.missing.end()}));
}

/// Adds a pattern. False if nothing can be learned from its rows.
bool PatternGame::add(int source, Pattern pattern, const completion::Players& players, int64_t first_place,
                      int64_t rows, int64_t batch, double share) {
  const Image& image = session_.image;
  const Source& entry = image.sources[static_cast<size_t>(source)];
  completion::Variables known(entry.known.begin(), entry.known.end());
  for (int variable : pattern.missing) known.erase(variable);
  completion::Completion completed = completion::complete(players, known, entry.words);
  if (completed.ambiguity)
    throw Failure(
        Exit::bad_data,
        fmt::format(
            "{}: both {} and {} are possible, with different results; choose one in the source, as in "
            "`complete {{ {} }}`",
            rows_text(source, pattern), draw_text(image, completed.ambiguity->first.conditional),
            draw_text(image, completed.ambiguity->second.conditional),
            draw_text(image, completed.ambiguity->lost >= 0 ? completed.ambiguity->lost
                                                            : completed.ambiguity->first.conditional)));
  if (!completed.exact)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: too many players can give what is missing to find the smallest chain; say "
                              "who gives it by `complete` in the source",
                              rows_text(source, pattern)));
  const completion::Terms terms = completion::terms_of(players, completed);
  if (terms.conditionals.empty()) {
    notes_.push_back(rows_text(source, pattern) + " are not learned from: no player has a term for them");
    return false;
  }
  completion::Variables needed;
  for (int term : terms.conditionals) {
    needed.insert(players[term].target);
    needed.insert(players[term].parents.begin(), players[term].parents.end());
  }
  completion::prune(players, completed.steps, needed);
  OfPattern& added = patterns_.emplace_back();
  added.source = source;
  added.pattern = std::move(pattern);
  added.first_place = first_place;
  added.all = rows;
  added.share = session_.ranks->share(rows);
  added.row_share = share / static_cast<double>(rows);
  const float coefficient = coefficient_of(added, entry.weight);
  added.coefficient = place(machine_, {&coefficient, 1});
  added.machine = machine_;
  added.machine.coefficients = added.coefficient.data();
  load(added, players, completed, terms, share * static_cast<double>(batch) / static_cast<double>(rows));
  return true;
}

void PatternGame::set_weights(const std::function<double(int source)>& weight_of) {
  for (OfPattern& entry : patterns_) {
    const float coefficient = coefficient_of(entry, weight_of(entry.source));
    if (machine_.device)
      machine_.device->upload(entry.coefficient.data(), &coefficient, sizeof coefficient);
    else
      entry.coefficient[0] = coefficient;
  }
}

std::unique_ptr<Executor> PatternGame::executor(OfPattern& asked_for, int program) {
  if (program < 0) {
    // The compiler did not expect missing values here, because it saw no file that may leave values out.
    const Image& image = session_.image;
    throw Failure(
        Exit::bad_data,
        fmt::format("source {}: row {} has no number for {}: its arithmetic gives NaN",
                    image.sources[static_cast<size_t>(asked_for.source)].name,
                    asked_for.pattern.rows.empty() ? 0 : asked_for.pattern.rows.front(),
                    image.names({asked_for.pattern.missing.begin(), asked_for.pattern.missing.end()})));
  }
  const Program& entry = session_.image.programs[static_cast<size_t>(program)];
  const std::vector<int64_t> rows(entry.batches.size(), asked_for.share.rows);
  auto made =
      std::make_unique<Executor>(session_.image, entry, asked_for.machine, rows, memory_, &asked_for.values);
  if (session_.ranks->is_several())
    made->begin_at(std::vector<int64_t>(entry.batches.size(), asked_for.share.first));
  return made;
}

void PatternGame::load(OfPattern& entry, const completion::Players& players,
                       const completion::Completion& completed, const completion::Terms& terms,
                       double scale) {
  const Image& image = session_.image;
  const Source& source = image.sources[static_cast<size_t>(entry.source)];
  const auto conditional = [&](int index) -> const Conditional& {
    return image.conditionals[static_cast<size_t>(index)];
  };
  if (source.program >= 0) entry.gather = executor(entry, source.program);
  for (const completion::Step& given : completed.steps) {
    Step& step = entry.steps.emplace_back();
    if (given.chain) step.sweeps = source.sweeps;
    for (const completion::Draw& draw : given.draws) {
      const Conditional& from = conditional(draw.conditional);
      if (step.parts.empty() || conditional(step.parts.back().draws.back().conditional).player != from.player)
        step.parts.emplace_back();
      step.parts.back().draws.push_back({draw.conditional, executor(entry, from.draw)});
      if (!given.chain) continue;
      int start = from.initial;
      for (int asked : source.starts)
        if (conditional(asked).target == from.target) start = conditional(asked).draw;
      step.starts.push_back(executor(entry, start));
    }
  }
  for (int index : terms.conditionals) {
    const Conditional& from = conditional(index);
    const std::string name =
        image.players[static_cast<size_t>(from.player)].name + "." + image.name_of(from.target);
    Term term{index, name + "@" + source.name, executor(entry, from.term), nullptr, scale};
    term.sum = term.program->output(name).data;
    for (size_t s = 0; s < entry.steps.size(); ++s) {
      const std::vector<Part>& parts = entry.steps[s].parts;
      if (entry.steps[s].sweeps == 0) continue;
      for (size_t p = 0; p < parts.size(); ++p)
        for (const Drawn& drawn : parts[p].draws) {
          const int target = players[drawn.conditional].target;
          const std::vector<int>& parents = players[index].parents;
          if (drawn.conditional == index) {
            term.step = static_cast<int>(s);
            term.part = static_cast<int>(p);
          } else if (std::find(parents.begin(), parents.end(), target) != parents.end()) {
            term.redrawn_by.push_back(static_cast<int>(p));
          }
        }
    }
    entry.terms.push_back(std::move(term));
  }
}

std::vector<int> PatternGame::players() const {
  std::set<int> found;
  for (const OfPattern& entry : patterns_)
    for (const Term& term : entry.terms)
      found.insert(session_.image.conditionals[static_cast<size_t>(term.conditional)].player);
  return {found.begin(), found.end()};
}

int64_t PatternGame::runs_of(const OfPattern& entry) const {
  int64_t runs = 1 + static_cast<int64_t>(entry.terms.size());
  for (const Step& step : entry.steps) {
    runs += static_cast<int64_t>(step.starts.size());
    for (const Part& part : step.parts)
      runs += static_cast<int64_t>(part.draws.size()) * std::max(1, step.sweeps);
  }
  return runs;
}

PatternPhase::PatternPhase(Session& session, PatternGame& game, std::vector<int> players, int64_t first_run)
    : session_(session),
      game_(game),
      players_(players.begin(), players.end()),
      first_run_(static_cast<uint64_t>(first_run)) {
  for (int player : players)
    gradients_.emplace(player,
                       allocate(game.machine_, session.image.players[static_cast<size_t>(player)].elements));
  for (const PatternGame::OfPattern& entry : game.patterns_)
    for (const PatternGame::Term& term : entry.terms)
      if (mine(term)) names_.emplace(term.name, static_cast<int64_t>(names_.size()));
  sums_ = allocate(game.machine_, static_cast<int64_t>(names_.size()));
  if (first_run + runs() > most_runs)
    throw Failure(
        Exit::bad_configuration,
        fmt::format(
            "the rows have too many patterns of missing variables: a step would take {} draws, and at "
            "most {} are possible; use fewer sweeps, or sources of fewer columns",
            first_run + runs(), most_runs));
}

bool PatternPhase::mine(const PatternGame::Term& term) const {
  return players_.count(session_.image.conditionals[static_cast<size_t>(term.conditional)].player) > 0;
}

bool PatternPhase::concerns(const PatternGame::OfPattern& entry) const {
  return std::any_of(entry.terms.begin(), entry.terms.end(),
                     [&](const PatternGame::Term& term) { return mine(term); });
}

int64_t PatternPhase::runs() const {
  int64_t runs = 0;
  for (const PatternGame::OfPattern& entry : game_.patterns_)
    if (concerns(entry)) runs += game_.runs_of(entry);
  return runs;
}

std::vector<LearningPhase::Term> PatternPhase::terms() const {
  std::vector<LearningPhase::Term> found;
  for (const auto& [name, place] : names_) found.push_back({name, sums_.data() + place, nullptr});
  return found;
}

bool PatternGame::OfPattern::has_chains() const {
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.is_shuffled(); });
}

bool PatternPhase::has_chains() const {
  return std::any_of(
      game_.patterns_.begin(), game_.patterns_.end(),
      [&](const PatternGame::OfPattern& entry) { return concerns(entry) && entry.has_chains(); });
}

void PatternPhase::run(const Executor& program, uint64_t seed, uint64_t step, const Hooks& hooks) {
  hooks.next_sweep();
  program.run(seed, sweep_step(step, ++run_), hooks);
}

void PatternPhase::repeat(PatternGame::Repeated& repeated, const std::function<void()>& work) {
  const uint64_t before = run_;
  core::repeat(game_.machine_, repeated.recording, [&] {
    work();
    repeated.runs = run_ - before;
  });
  run_ = before + repeated.runs;
}

void PatternPhase::complete(PatternGame::OfPattern& entry, uint64_t seed, uint64_t step, const Hooks& hooks) {
  for (PatternGame::Term& term : entry.terms) term.counts = true;
  for (size_t s = 0; s < entry.steps.size(); ++s) {
    PatternGame::Step& replayed = entry.steps[s];
    if (!replayed.starts.empty())
      repeat(replayed.started, [&] {
        for (const auto& start : replayed.starts) run(*start, seed, step, hooks);
      });
    std::vector<int> order;
    for (int sweep = 0; sweep < std::max(1, replayed.sweeps); ++sweep) {
      order = sweep_order(replayed.parts.size(), chain_order_site, seed, sweep_step(step, run_ + 1));
      for (const std::vector<int>& piece : pieces_of(order))
        repeat(replayed.swept[piece], [&] {
          for (int part : piece)
            for (const PatternGame::Drawn& drawn : replayed.parts[static_cast<size_t>(part)].draws)
              run(*drawn.draw, seed, step, hooks);
        });
    }
    const auto place = [&](int part) { return std::find(order.begin(), order.end(), part); };
    for (PatternGame::Term& term : entry.terms)
      if (term.step == static_cast<int>(s))
        term.counts = std::any_of(term.redrawn_by.begin(), term.redrawn_by.end(),
                                  [&](int part) { return place(part) > place(term.part); });
  }
}

/// Adds the gradients and sums of the terms on the pattern's rows.
void PatternPhase::learn(PatternGame::OfPattern& entry, uint64_t seed, uint64_t step, const Hooks& hooks) {
  if (entry.gather) repeat(entry.gathered, [&] { run(*entry.gather, seed, step, hooks); });
  complete(entry, seed, step, hooks);
  for (PatternGame::Term& term : entry.terms) {
    if (!mine(term) || !term.counts) continue;
    repeat(term.added, [&] {
      run(*term.program, seed, step, hooks);
      if (entry.share.counts)
        add(game_.machine_, term.sum, static_cast<float>(term.scale), sums_.data() + names_.at(term.name), 1);
    });
  }
}

void PatternPhase::run(uint64_t seed, uint64_t step, const Hooks& hooks) {
  const Machine& machine = game_.machine_;
  run_ = first_run_;
  hooks.begin_sweep(run_);
  for (const auto& [player, gradient] : gradients_) clear(machine, gradient);
  clear(machine, sums_);
  Hooks own;
  own.next_sweep = hooks.next_sweep;
  own.watch = hooks.watch;
  own.update = [&](int player, const float* gradient) {
    const Floats& sum = gradients_.at(player);
    add(machine, gradient, 1, sum.data(), sum.size());
  };
  for (PatternGame::OfPattern& entry : game_.patterns_) {
    if (!concerns(entry)) continue;
    own.gather = [&](int column, int source, int64_t rows, float* to) {
      hooks.gather_pattern(column, source, entry.pattern,
                           {entry.first_place, entry.share.first, rows, entry.all}, to);
    };
    if (entry.has_chains())
      learn(entry, seed, step, own);
    else
      repeat(learned_[&entry], [&] { learn(entry, seed, step, own); });
  }
  for (const auto& [player, gradient] : gradients_) {
    if (game_.frozen_.count(player)) continue;
    if (hooks.reduce) hooks.reduce(player, gradient.data());
    hooks.update(player, gradient.data());
  }
}

}  // namespace core
