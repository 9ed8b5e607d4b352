#include "runtime/completion/completion.h"

#include <algorithm>

#include "runtime/completion/chain.h"

namespace completion {
namespace {

bool contains(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

class Search {
 public:
  Search(const Players& players, const Variables& known, const std::map<int, int>& words,
         const std::vector<int>& rank)
      : players_(players), rank_(rank), known_(players.variables()) {
    result_.completed = known;
    for (const int variable : known) known_.insert(variable);
    for (int variable = 0; variable < players.variables(); ++variable) {
      const auto word = words.find(variable);
      std::vector<Draw>& samplers = samplers_.emplace_back();
      if (known_.contains(variable)) continue;
      missing_.push_back(variable);
      for (const int conditional : players.samplers(variable))
        if (word == words.end() || word->second == players[conditional].player)
          samplers.push_back({conditional, word != words.end()});
    }
  }

  Completion run() {
    while (!result_.ambiguity && result_.exact) {
      drop_ruled_out();
      const std::vector<Draw> draws = possible_draws();
      if (!draws.empty()) {
        if (const auto found = ambiguity_among(draws)) {
          if (!settle(*found)) break;
          add({.draws = {better(*found)}});
        } else {
          for (const Draw& draw : draws) add({.draws = {draw}});
        }
        continue;
      }
      const std::optional<Step> chain = find_chain();
      if (!chain) break;
      add(*chain);
    }
    return std::move(result_);
  }

 private:
  void add(const Step& step) {
    for (const Draw& draw : step.draws) {
      const int target = players_[draw.conditional].target;
      result_.completed.insert(target);
      known_.insert(target);
    }
    std::erase_if(missing_, [&](int variable) { return known_.contains(variable); });
    result_.steps.push_back(step);
  }

  const Draw& better(const Ambiguity& ambiguity) const {
    const auto rank = [&](const Draw& draw) { return rank_[static_cast<size_t>(draw.conditional)]; };
    return rank(ambiguity.second) < rank(ambiguity.first) ? ambiguity.second : ambiguity.first;
  }

  /// Records that the ranks settle the ambiguity. If there are no ranks, reports the ambiguity and returns
  /// false.
  bool settle(const Ambiguity& ambiguity) {
    if (rank_.empty()) {
      result_.ambiguity = ambiguity;
      return false;
    }
    result_.settled.push_back(ambiguity);
    return true;
  }

  /// Drops the draws that would ignore a known or completed variable. They stay ruled out, because that set
  /// only grows.
  void drop_ruled_out() {
    for (const int variable : missing_)
      std::erase_if(samplers_[static_cast<size_t>(variable)], [&](const Draw& draw) {
        return !draw.word && (players_.below(draw.conditional).intersects(known_) ||
                              players_.foreign(draw.conditional).intersects(known_));
      });
  }

  std::vector<Draw> possible_draws() const {
    std::vector<Draw> result;
    for (const int variable : missing_) {
      for (const Draw& draw : samplers_[static_cast<size_t>(variable)]) {
        const std::vector<int>& parents = players_[draw.conditional].parents;
        if (std::ranges::all_of(parents, [&](int parent) { return known_.contains(parent); }))
          result.push_back(draw);
      }
    }
    return result;
  }

  std::optional<Ambiguity> ambiguity_among(const std::vector<Draw>& draws) const {
    for (size_t i = 0; i < draws.size(); ++i) {
      for (size_t j = i + 1; j < draws.size(); ++j) {
        const Draw &first = draws[i], &second = draws[j];
        if (players_[first.conditional].target == players_[second.conditional].target)
          return Ambiguity{Ambiguity::Kind::one_target, first, second};
        const bool first_excludes = excludes(first, second);
        if (first_excludes || excludes(second, first))
          return Ambiguity{Ambiguity::Kind::one_excludes_the_other, first, second,
                           first_excludes ? first.conditional : second.conditional,
                           first_excludes ? second.conditional : first.conditional};
      }
    }
    return std::nullopt;
  }

  /// Whether `other`, which is possible now, would ignore `made`'s target after that target is drawn.
  bool excludes(const Draw& made, const Draw& other) const {
    const int target = players_[made.conditional].target;
    return !other.word && (players_.below(other.conditional).contains(target) ||
                           players_.foreign(other.conditional).contains(target));
  }

  /// The smallest chain; nothing if there is none or if it is ambiguous.
  std::optional<Step> find_chain() {
    const ChainProblem problem{players_, known_, samplers_};
    const LeastSet least = least_waiting_set(problem);
    result_.exact = least.exact;
    if (least.variables.empty() || !least.exact) return std::nullopt;
    while (true) {
      std::optional<std::vector<Draw>> draws = chain_over(problem, least.variables);
      if (!draws) return std::nullopt;
      const auto found = two_samplers_in(*draws);
      if (!found) return Step{.chain = true, .draws = std::move(*draws)};
      if (!settle(*found)) return std::nullopt;
      const Conditional& kept = players_[better(*found).conditional];
      std::erase_if(samplers_[static_cast<size_t>(kept.target)],
                    [&](const Draw& draw) { return players_[draw.conditional].player != kept.player; });
    }
  }

  std::optional<Ambiguity> two_samplers_in(const std::vector<Draw>& draws) const {
    for (size_t i = 0; i < draws.size(); ++i) {
      for (size_t j = i + 1; j < draws.size(); ++j) {
        if (players_[draws[i].conditional].target == players_[draws[j].conditional].target)
          return Ambiguity{Ambiguity::Kind::one_target_in_a_chain, draws[i], draws[j]};
      }
    }
    return std::nullopt;
  }

  const Players& players_;
  const std::vector<int>& rank_;
  VariableMask known_;        // known or completed
  std::vector<int> missing_;  // all other variables, sorted
  Samplers samplers_;
  Completion result_;
};

/// Whether the conditional's target is always drawn from this conditional after its parents. Then the
/// expected gradient of its term is zero.
bool drawn_from_itself(const Players& players, const std::vector<Step>& steps, int conditional) {
  for (const Step& step : steps) {
    for (const Draw& draw : step.draws) {
      if (draw.conditional != conditional) continue;
      return std::none_of(step.draws.begin(), step.draws.end(), [&](const Draw& other) {
        const Conditional &own = players[conditional], &drawn = players[other.conditional];
        return drawn.player != own.player && contains(own.parents, drawn.target);
      });
    }
  }
  return false;
}

}  // namespace

Completion complete(const Players& players, const Variables& known, const std::map<int, int>& words,
                    const std::vector<int>& rank) {
  return Search(players, known, words, rank).run();
}

Terms terms_of(const Players& players, const Completion& completion) {
  Terms terms;
  for (int player = 0; player < players.count(); ++player) {
    for (size_t i = 0; i < players.conditionals().size(); ++i) {
      const Conditional& conditional = players.conditionals()[i];
      if (conditional.player != player || !conditional.learned) continue;
      Variables missing(conditional.parents.begin(), conditional.parents.end());
      missing.insert(conditional.target);
      std::erase_if(missing, [&](int variable) { return completion.completed.contains(variable); });
      const int index = static_cast<int>(i);
      if (!missing.empty()) {
        terms.left_out.push_back({index, missing});
      } else if (!drawn_from_itself(players, completion.steps, index)) {
        terms.conditionals.push_back(index);
      }
    }
  }
  return terms;
}

Variables prune(const Players& players, std::vector<Step>& steps, Variables needed) {
  std::vector<Step> kept;
  Variables undrawn;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const bool wanted = std::any_of(step->draws.begin(), step->draws.end(), [&](const Draw& draw) {
      return needed.contains(players[draw.conditional].target);
    });
    for (const Draw& draw : step->draws) {
      const Conditional& conditional = players[draw.conditional];
      if (wanted) {
        needed.insert(conditional.parents.begin(), conditional.parents.end());
      } else {
        undrawn.insert(conditional.target);
      }
    }
    if (wanted) kept.insert(kept.begin(), *step);
  }
  steps = std::move(kept);
  return undrawn;
}

}  // namespace completion
