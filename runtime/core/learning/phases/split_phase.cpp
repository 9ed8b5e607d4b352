#include "runtime/core/learning/phases/split_phase.h"
#include "runtime/core/ranks/ranks.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"

namespace core {

bool is_compiled_whole(const Learn& learn) {
  return learn.method != "symmetric" || !learn.settings.own.value("enumerate", "").empty();
}

SplitRows::SplitRows(Session& session, const Learn& learn, const Settings& settings)
    : session_(session), learn_(learn) {
  const Image& image = session.image;
  rows_.assign(image.sources.size() + image.splits.size(), 1);
  for (const std::string& name : learned_sources(settings))
    place(image.source(name), settings.batch.at(name));
  if (placed_.empty())
    throw Failure(Exit::bad_data,
                  fmt::format("learn {}: nothing is learned from any row of its sources", learn.name));
  for (size_t i = 0; i < rows_.size(); ++i) {
    shares_.push_back(session.ranks->share(rows_[i]));
    if (!placed_.contains(static_cast<int>(i))) shares_.back() = {0, 1, false};
  }
}

const std::vector<Phase>& SplitRows::phases(const std::string& order) const {
  const bool alternating = order == "alternating";
  if (learn_.missing.splits.empty()) return alternating ? learn_.alternating : learn_.simultaneous;
  return alternating ? learn_.missing.alternating : learn_.missing.simultaneous;
}

void SplitRows::refuse(int source, const Pattern& pattern, const std::string& why) const {
  const Image& image = session_.image;
  throw Failure(
      Exit::bad_configuration,
      fmt::format("learn {}: {} of source {} miss{} {}: {}", learn_.name, counted(pattern.count, "row"),
                  image.sources[static_cast<size_t>(source)].name, pattern.count == 1 ? "es" : "",
                  image.names({pattern.missing.begin(), pattern.missing.end()}), why));
}

/// The index of the source itself or of a split; -1 if nothing is learned from the pattern.
int SplitRows::index_of(int source, const Pattern& pattern) {
  if (pattern.missing.empty()) return std::ranges::count(learn_.skipped, source) > 0 ? -1 : source;
  const std::vector<Split>& splits = session_.image.splits;
  const auto split = std::ranges::find_if(
      splits, [&](const Split& split) { return split.source == source && split.missing == pattern.missing; });
  if (split == splits.end())
    refuse(source, pattern,
           "the compiler made no step for such rows; leave them out by `where`, or let `learn symmetric` "
           "without `enumerate` learn from them");
  const auto index = static_cast<int>(split - splits.begin());
  if (const auto refused = learn_.missing.refused.find(index); refused != learn_.missing.refused.end())
    refuse(source, pattern, refused->second);
  if (std::ranges::count(learn_.missing.splits, index) > 0)
    return static_cast<int>(session_.image.sources.size()) + index;
  notes_.push_back(fmt::format("{}: the {} not learned from: no term has all its variables", split->name,
                               pattern.count == 1 ? "row is" : fmt::format("{} rows are", pattern.count)));
  return -1;
}

int SplitRows::source_of(int index) const {
  const Image& image = session_.image;
  const auto sources = static_cast<int>(image.sources.size());
  return index < sources ? index : image.splits[static_cast<size_t>(index - sources)].source;
}

std::vector<double> SplitRows::coefficients(const std::function<double(int source)>& weight_of) const {
  std::vector<double> found(rows_.size());
  for (const auto& [index, placed] : placed_)
    if (shares_[static_cast<size_t>(index)].counts)
      found[static_cast<size_t>(index)] =
          weight_of(source_of(index)) * placed.share / static_cast<double>(rows_[static_cast<size_t>(index)]);
  return found;
}

void SplitRows::place(int source, int64_t batch) {
  const std::vector<Pattern>& patterns = of_source_[source] = session_.rows.patterns(source);
  const std::vector<PatternPart> parts = apportion(patterns, batch);
  int64_t place = 0;
  for (size_t i = 0; i < patterns.size(); ++i) {
    const int index = index_of(source, patterns[i]);
    if (index < 0) continue;
    rows_[static_cast<size_t>(index)] = parts[i].rows;
    placed_[index] = {patterns[i], place, parts[i].share};
    place += parts[i].rows;
  }
}

SplitRows::Share SplitRows::share(const std::string& name) const {
  const Image& image = session_.image;
  int index = image.source(name);
  for (size_t i = 0; i < image.splits.size() && index < 0; ++i)
    if (image.splits[i].name == name) index = static_cast<int>(image.sources.size() + i);
  if (index < 0) return {};
  const auto found = placed_.find(index);
  if (found == placed_.end()) return {source_of(index), 1, 0};
  return {source_of(index), rows_[static_cast<size_t>(index)], found->second.share,
          shares_[static_cast<size_t>(index)].counts};
}

void SplitRows::gather(const Hooks& hooks, int column, int source, int64_t rows, float* to) const {
  const int own = source_of(source);
  if (const auto found = placed_.find(source); found != placed_.end()) {
    const auto index = static_cast<size_t>(source);
    return hooks.gather_pattern(column, own, found->second.pattern,
                                {found->second.place, shares_[index].first, rows, rows_[index]}, to);
  }
  // The coefficient is 0, so any values of the column will do.
  const int variable = session_.image.columns[static_cast<size_t>(column)].variable;
  const auto known = of_source_.find(own);
  if (known == of_source_.end()) return hooks.gather(column, own, rows, to);
  for (const Pattern& pattern : known->second)
    if (!pattern.missing.contains(variable))
      return hooks.gather_pattern(column, own, pattern, {0, 0, rows, rows}, to);
  throw Failure(Exit::internal, "no row has a value of a column");
}

SplitPhase::SplitPhase(Session& session, const Machine& machine, const Phase& phase, const SplitRows& rows,
                       const std::shared_ptr<Floats>& memory)
    : rows_(rows), runner_(session, machine, phase, rows_of(rows.shares()), memory) {
  if (session.ranks->is_several()) runner_.begin_at(first_rows_of(rows.shares()));
}

void SplitPhase::run(uint64_t seed, uint64_t step, const Hooks& hooks) {
  Hooks own = hooks;
  own.gather = [&](int column, int source, int64_t rows, float* to) {
    rows_.gather(hooks, column, source, rows, to);
  };
  runner_.run(seed, step, own);
}

std::vector<LearningPhase::Term> SplitPhase::terms() const {
  std::vector<Term> all = runner_.terms();
  std::erase_if(all, [&](const Term& term) {
    return rows_.share(term.name.substr(term.name.rfind('@') + 1)).of_batch == 0;
  });
  return all;
}

}  // namespace core
