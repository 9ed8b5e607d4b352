#include "compiler/game/suggest_words.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace game {
namespace {
using completion::Players;
using completion::Variables;

class WordSearch {
 public:
  explicit WordSearch(const SourceProblem& problem) : problem_(problem), players_(problem.players) {}

  std::vector<int> run() {
    std::vector<std::vector<int>> level = {{}};
    for (int words = 1; words <= 3 && best_.empty() && !level.empty(); ++words) level = extend(level);
    return best_;
  }

 private:
  /// Extends each set that does not help yet by one draw, in every way that may help. Keeps the best set that
  /// helps.
  std::vector<std::vector<int>> extend(const std::vector<std::vector<int>>& level) {
    std::vector<std::vector<int>> next;
    std::set<std::vector<int>> seen;
    for (const std::vector<int>& chosen : level) {
      for (const int candidate : candidates(complete_with(chosen), chosen)) {
        std::vector<int> more = chosen;
        more.insert(std::ranges::upper_bound(more, candidate), candidate);
        if (!seen.insert(more).second || ++tried_ > 1000) continue;
        consider(more);
        next.push_back(std::move(more));
      }
    }
    return next;
  }

  completion::Completion complete_with(const std::vector<int>& chosen) const {
    std::map<int, int> words = problem_.words;
    for (const int conditional : chosen) words[players_[conditional].target] = players_[conditional].player;
    return completion::complete(players_, problem_.known, words);
  }

  /// The conditionals whose draw may solve the problem that stopped the completion, the most likely first.
  std::vector<int> candidates(const completion::Completion& completed, const std::vector<int>& chosen) const {
    std::vector<int> found;
    if (completed.ambiguity) {
      const int first = completed.ambiguity->first.conditional,
                second = completed.ambiguity->second.conditional;
      found = completed.ambiguity->lost == second ? std::vector{second, first} : std::vector{first, second};
    } else {
      for (int variable = 0; variable < players_.variables(); ++variable)
        if (!completed.completed.contains(variable))
          found.insert(found.end(), players_.samplers(variable).begin(), players_.samplers(variable).end());
    }
    std::erase_if(found, [&](int candidate) {
      const int target = players_[candidate].target;
      return problem_.words.contains(target) ||
             std::ranges::any_of(chosen, [&](int other) { return players_[other].target == target; });
    });
    return found;
  }

  void consider(const std::vector<int>& chosen) {
    const completion::Completion completed = complete_with(chosen);
    if (completed.ambiguity || !completed.exact) return;
    const size_t terms = completion::terms_of(players_, completed).conditionals.size();
    if (terms == 0) return;
    const std::pair cost = {ignored_by(chosen, completed), -static_cast<int64_t>(terms)};
    if (!best_.empty() && cost >= best_cost_) return;
    best_ = chosen;
    best_cost_ = cost;
  }

  /// How many known or completed variables the chosen draws ignore, counted at the time of each draw.
  int64_t ignored_by(const std::vector<int>& chosen, const completion::Completion& completed) const {
    int64_t count = 0;
    Variables present = problem_.known;
    for (const completion::Step& step : completed.steps) {
      for (const completion::Draw& draw : step.draws) {
        if (step.chain) present.insert(players_[draw.conditional].target);
      }
      for (const completion::Draw& draw : step.draws) {
        if (std::ranges::count(chosen, draw.conditional) == 0) continue;
        count += std::ranges::count_if(present, [&](int variable) {
          return players_.below(draw.conditional).contains(variable) ||
                 players_.foreign(draw.conditional).contains(variable);
        });
      }
      for (const completion::Draw& draw : step.draws) present.insert(players_[draw.conditional].target);
    }
    return count;
  }

  const SourceProblem& problem_;
  const Players& players_;
  std::vector<int> best_;
  std::pair<int64_t, int64_t> best_cost_;
  int tried_ = 0;
};

}  // namespace

std::vector<int> words_that_help(const SourceProblem& problem) { return WordSearch(problem).run(); }

bool conditional_helps(const SourceProblem& problem, int target, std::vector<int> parents) {
  std::vector<completion::Conditional> conditionals = problem.players.conditionals();
  conditionals.push_back({problem.players.count(), target, std::move(parents), true});
  const Players players(problem.players.variables(), std::move(conditionals));
  const completion::Completion completed = completion::complete(players, problem.known, problem.words);
  return !completed.ambiguity && !completion::terms_of(players, completed).conditionals.empty();
}

bool generated_rows_help(const completion::Players& players, int conditional) {
  const completion::Completion completed = completion::complete(players, {});
  const std::vector<int> terms = completion::terms_of(players, completed).conditionals;
  return !completed.ambiguity && std::ranges::count(terms, conditional) > 0;
}

}  // namespace game
