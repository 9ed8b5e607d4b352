#include "compiler/game/rows/missing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/game/enumeration.h"
#include "compiler/game/supervised.h"

namespace game {
namespace {
using namespace semantics;

constexpr size_t most_splits = 16;

bool is_compiled_whole(const Learn& learn) {
  return learn.method != "symmetric" || !learn.own.value("enumerate", nlohmann::json::array()).empty();
}

/// The subsets of the variables that rows of the source may miss, small subsets first.
std::vector<std::vector<VariableId>> subsets_of(const Source& source) {
  std::vector<VariableId> may_miss;
  for (const Given& given : source.givens)
    if (given.missing >= MissingValues::usual) may_miss.push_back(given.variable);
  std::vector<std::vector<VariableId>> subsets = {{}};
  for (size_t begin = 0, size = 1; size <= may_miss.size() && subsets.size() <= most_splits; ++size) {
    const size_t end = subsets.size();
    for (size_t i = begin; i < end; ++i)
      for (const VariableId variable : may_miss) {
        if (!subsets[i].empty() && variable.index <= subsets[i].back().index) continue;
        std::vector<VariableId> larger = subsets[i];
        larger.push_back(variable);
        if (subsets.size() <= most_splits) subsets.push_back(std::move(larger));
      }
    begin = end;
  }
  subsets.erase(subsets.begin());
  return subsets;
}

class Maker {
 public:
  Maker(const Model& model, const Game& game)
      : report_(no_files_), made_{model, game, {}, {}}, players_(players_of(model)) {
    sources_ = model.sources.size();
  }

  MissingGame make() {
    for (const Learn& learn : made_.model.learns) {
      if (!is_compiled_whole(learn)) continue;
      for (const SourceId source : learn.sources) add_splits(source);
    }
    for (size_t l = 0; l < made_.model.learns.size(); ++l) {
      if (!is_compiled_whole(made_.model.learns[l])) continue;
      const std::vector<SourceId> own = made_.model.learns[l].sources;
      for (size_t k = 0; k < made_.splits.size(); ++k)
        if (std::ranges::count(own, made_.splits[k].source) > 0) admit(l, k);
    }
    return std::move(made_);
  }

 private:
  SourceId id_of(size_t split) const { return {static_cast<int32_t>(sources_ + split)}; }

  void add_splits(SourceId id) {
    if (std::ranges::count(made_.splits, id, &Split::source) > 0) return;
    for (const std::vector<VariableId>& missing : subsets_of(made_.model[id])) {
      Source source = made_.model[id];
      std::vector<std::string> names;
      for (const VariableId variable : missing) {
        names.push_back(made_.model[variable].name);
        std::erase_if(source.givens, [&](const Given& given) { return given.variable == variable; });
      }
      source.name = fmt::format("{} without {}", source.name, fmt::join(names, ", "));
      SourceGame& known = made_.game.sources.emplace_back();
      known.source = id_of(made_.splits.size());
      for (const Given& given : source.givens) known.known.push_back(given.variable);
      std::ranges::sort(known.known);
      made_.splits.push_back({source.name, id, missing});
      made_.model.sources.push_back(std::move(source));
    }
  }

  /// The first error since `before` that forbids a split, as a sentence; empty if there is none.
  std::string error_since(size_t before) const {
    for (size_t i = before; i < report_.diagnostics().size(); ++i) {
      const base::Diagnostic& diagnostic = report_.diagnostics()[i];
      if (base::info(diagnostic.code).severity != base::Severity::error) continue;
      if (diagnostic.code == base::E0702) continue;  // such rows are left out, which is no error
      return diagnostic.text_label.empty() ? diagnostic.message
                                           : diagnostic.message + ": " + diagnostic.text_label;
    }
    return "";
  }

  void admit(size_t l, size_t split) {
    const size_t before = report_.diagnostics().size();
    std::vector<SourceId>& sources = made_.model.learns[l].sources;
    const std::vector<Bound> bounds = made_.game.bounds[l].sources;
    const bool learned = has_terms(l, split);
    if (learned) {
      sources.push_back(id_of(split));
      const auto sums = derive_sums(made_.model, made_.game, report_);
      if (error_since(before).empty()) {
        made_.game.sums = sums;
        return;
      }
      sources.pop_back();
      made_.game.bounds[l].sources = bounds;
    }
    if (const std::string why = error_since(before); !why.empty()) made_.refused.push_back({l, split, why});
  }

  bool has_terms(size_t l, size_t split) {
    const Learn& learn = made_.model.learns[l];
    const SourceId id = id_of(split);
    if (learn.method == "supervised") return !given_terms(made_.model, made_.model[id]).empty();
    if (learn.method == "symmetric") {
      SourceGame& source = made_.game.sources[static_cast<size_t>(id.index)];
      return !source.terms.empty() || complete_source(made_.model, players_, source, report_);
    }
    auto bound = derive_bound(made_.model, made_.game.graph, players_, report_, learn, id);
    if (!bound) return false;
    made_.game.bounds[l].sources.push_back(std::move(*bound));
    return true;
  }

  base::SourceSet no_files_;
  base::Report report_;
  MissingGame made_;
  completion::Players players_;
  size_t sources_ = 0;
};

}  // namespace

std::vector<size_t> MissingGame::splits_of(size_t learn) const {
  const size_t first = model.sources.size() - splits.size();
  std::vector<size_t> found;
  for (const SourceId source : model.learns[learn].sources)
    if (static_cast<size_t>(source.index) >= first)
      found.push_back(static_cast<size_t>(source.index) - first);
  return found;
}

std::optional<MissingGame> derive_missing(const Model& model, const Game& game) {
  const bool asked = std::ranges::any_of(model.learns, [&](const Learn& learn) {
    return is_compiled_whole(learn) && rows_may_miss(model, learn.sources, MissingValues::usual);
  });
  if (!asked) return std::nullopt;
  return Maker(model, game).make();
}

}  // namespace game
