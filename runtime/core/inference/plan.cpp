#include "runtime/core/inference/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "runtime/completion/completion.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {
using completion::Variables;

const Conditional& conditional_of(const Image& image, int conditional) {
  return image.conditionals[static_cast<size_t>(conditional)];
}

/// The image's players, followed by its sources. Each source counts as a player that draws from families of
/// its own, independently of one another. Conditionals are numbered as in the image.
completion::Players everyone(const Image& image) {
  std::vector<completion::Conditional> conditionals;
  const int players = static_cast<int>(image.players.size());
  for (const Conditional& conditional : image.conditionals) {
    int player = conditional.player;
    if (player < 0 && conditional.source >= 0) player = players + conditional.source;
    conditionals.push_back({player, conditional.target, conditional.parents});
  }
  return {static_cast<int>(image.variables.size()), std::move(conditionals)};
}

int rank_of(const Image& image, const Conditional& conditional) {
  if (conditional.player < 0) return 3;
  const Role role = image.players[static_cast<size_t>(conditional.player)].role;
  return role == Role::encoder ? 0 : role == Role::player ? 1 : 2;
}

class Planner {
 public:
  Planner(const Image& image, const std::map<int, int>& by) : image_(image), by_(by), all_(everyone(image)) {
    for (const Conditional& conditional : image.conditionals) rank_.push_back(rank_of(image, conditional));
  }

  /// A plan by the rules of the game if they give an answer, else one that ignores as little as possible.
  /// Nothing if a target cannot be drawn at all.
  std::optional<Plan> plan(const Variables& known, const Variables& targets, bool of_source = false) const {
    if (of_source)
      if (auto found = source(known, targets)) return found;
    const Variables relevant = upstream(known, targets);
    auto found = strict(known, targets, relevant);
    return found ? found : relaxed(known, targets, relevant);
  }

  /// Why there is no plan.
  std::string cause(const Variables& known, const Variables& targets) const {
    const Variables drawable = obtainable(known, upstream(known, targets));
    for (const int target : targets) {
      if (known.contains(target) || drawable.contains(target)) continue;
      int variable = target;
      std::set<int> seen;
      while (seen.insert(variable).second) {  // up to the first variable that no player gives
        const std::vector<int> draws = samplers(variable);
        if (draws.empty()) break;
        for (const int parent : conditional_of(image_, draws.front()).parents)
          if (!known.contains(parent) && !drawable.contains(parent)) variable = parent;
      }
      if (variable == target) return fmt::format("no player gives {}", image_.name_of(target));
      return fmt::format("{} needs {}, which no player gives", image_.name_of(target),
                         image_.name_of(variable));
    }
    return "";
  }

  /// The conditionals that may draw the variable.
  std::vector<int> samplers(int variable) const {
    const auto by = by_.find(variable);
    std::vector<int> found;
    for (size_t i = 0; i < all_.conditionals().size(); ++i) {
      const completion::Conditional& conditional = all_.conditionals()[i];
      if (conditional.target == variable && conditional.player >= 0 &&
          (by == by_.end() || by->second == conditional.player))
        found.push_back(static_cast<int>(i));
    }
    return found;
  }

  /// The known variables that drawing from the conditional would ignore. None if the user chose the player by
  /// `by`.
  Variables ignored(int conditional, Variables known) const {
    Variables found;
    if (by_.contains(all_[conditional].target)) return found;
    known.erase(all_[conditional].target);
    while (const auto variable = all_.ignored(conditional, known)) {
      found.insert(*variable);
      known.erase(*variable);
    }
    return found;
  }

  /// Groups the conditionals by player, parents first.
  std::vector<std::vector<int>> grouped(std::vector<int> conditionals) const {
    std::ranges::stable_sort(conditionals, {}, [&](int conditional) { return all_[conditional].player; });
    std::vector<std::vector<int>> groups;
    while (!conditionals.empty()) {
      const int player = all_[conditionals.front()].player;
      const auto next = std::ranges::find_if(conditionals, [&](int conditional) {
        return all_[conditional].player == player && std::ranges::none_of(conditionals, [&](int other) {
                 return all_[other].player == player &&
                        std::ranges::count(all_[conditional].parents, all_[other].target) > 0;
               });
      });
      if (groups.empty() || all_[groups.back().front()].player != player) groups.emplace_back();
      groups.back().push_back(*next);  // a player's conditionals form no cycle
      conditionals.erase(next);
    }
    return groups;
  }

  const Image& image() const { return image_; }

 private:
  /// The unknown variables that may matter to the targets: the targets themselves, and the parents of every
  /// conditional that may give one of these variables.
  Variables upstream(const Variables& known, const Variables& targets) const {
    Variables found;
    std::vector<int> open(targets.begin(), targets.end());
    while (!open.empty()) {
      const int variable = open.back();
      open.pop_back();
      if (known.contains(variable) || !found.insert(variable).second) continue;
      for (const int sampler : samplers(variable))
        open.insert(open.end(), all_[sampler].parents.begin(), all_[sampler].parents.end());
    }
    return found;
  }

  bool ready(int conditional, const Variables& known, const Variables& others) const {
    return std::ranges::all_of(all_[conditional].parents,
                               [&](int parent) { return known.contains(parent) || others.contains(parent); });
  }

  /// Those of `variables` that can be drawn, directly or in a chain.
  Variables obtainable(const Variables& known, Variables variables) const {
    for (bool changed = true; changed;) {
      const Variables before = variables;
      std::erase_if(variables, [&](int variable) {
        return std::ranges::none_of(samplers(variable),
                                    [&](int sampler) { return ready(sampler, known, before); });
      });
      changed = variables.size() != before.size();
    }
    return variables;
  }

  /// A plan by the rules of the game, in which the players complete only the variables in `drawn`.
  std::optional<Plan> completed(const Variables& known, const Variables& targets, const Variables& drawn,
                                const std::vector<int>& rank) const {
    std::map<int, int> words = by_;
    for (int variable = 0; variable < all_.variables(); ++variable)
      if (!drawn.contains(variable)) words[variable] = -1;
    completion::Completion found = completion::complete(all_, known, words, rank);
    if (found.ambiguity || !found.exact || !std::ranges::includes(found.completed, targets))
      return std::nullopt;
    completion::prune(all_, found.steps, targets);
    Plan plan;
    std::set<int> made;
    for (const completion::Step& drawn_step : found.steps) {
      Step& step = plan.steps.emplace_back();
      step.chain = drawn_step.chain;
      int player = -1;
      for (const completion::Draw& draw : drawn_step.draws) {
        if (step.groups.empty() || all_[draw.conditional].player != player) step.groups.emplace_back();
        player = all_[draw.conditional].player;
        step.groups.back().push_back(draw.conditional);
        made.insert(draw.conditional);
      }
    }
    for (const completion::Ambiguity& ambiguity : found.settled) {
      const int first = ambiguity.first.conditional, second = ambiguity.second.conditional;
      if (made.contains(first) != made.contains(second))
        plan.settled.push_back(
            {made.contains(first) ? first : second, made.contains(first) ? second : first});
    }
    return plan;
  }

  /// How the game completes a source that knows `known`. Of its draws, those that the targets need.
  std::optional<Plan> source(const Variables& known, const Variables& targets) const {
    Variables all;
    for (int variable = 0; variable < all_.variables(); ++variable)
      if (!known.contains(variable)) all.insert(variable);
    return drawing_all(known, targets, obtainable(known, all));
  }

  /// A plan by the rules of the game that completes all of `drawable`; only if these are ambiguous, ranks
  /// decide.
  std::optional<Plan> drawing_all(const Variables& known, const Variables& targets,
                                  const Variables& drawable) const {
    if (auto found = completed(known, targets, drawable, {})) return found;
    return completed(known, targets, drawable, rank_);
  }

  /// A plan by the rules of the game: one without a chain if there is any, since a chain only stands in for
  /// draws that are not possible; among these, one that draws as few variables as possible.
  std::optional<Plan> strict(const Variables& known, const Variables& targets,
                             const Variables& relevant) const {
    const Variables drawable = obtainable(known, relevant);
    Variables wanted;
    std::ranges::set_difference(targets, known, std::inserter(wanted, wanted.end()));
    if (!std::ranges::includes(drawable, wanted)) return std::nullopt;
    std::vector<int> others;
    std::ranges::set_difference(drawable, wanted, std::back_inserter(others));
    // With more variables than this, trying all subsets takes too long. Drawing all of them is right if
    // nothing is ambiguous.
    constexpr size_t most = 8;
    if (others.size() > most) return drawing_all(known, targets, drawable);
    std::optional<Plan> in_a_chain;
    for (size_t size = 0; size <= others.size(); ++size)
      for (uint32_t chosen = 0; chosen < 1u << others.size(); ++chosen) {
        if (static_cast<size_t>(__builtin_popcount(chosen)) != size) continue;
        Variables drawn = wanted;
        for (size_t i = 0; i < others.size(); ++i)
          if (chosen >> i & 1) drawn.insert(others[i]);
        if (obtainable(known, drawn).size() != drawn.size()) continue;
        auto found = completed(known, targets, drawn, rank_);
        if (!found) continue;
        if (found->first_chain() == found->steps.size()) return found;
        if (!in_a_chain) in_a_chain = std::move(found);
      }
    return in_a_chain;
  }

  /// Draws each variable by the sampler that ignores the fewest known variables. Variables that then depend
  /// on each other form a chain.
  std::optional<Plan> relaxed(const Variables& known, const Variables& targets,
                              const Variables& relevant) const {
    const Variables drawable = obtainable(known, relevant);
    std::map<int, int> chosen;  // variable -> conditional
    std::vector<int> open(targets.begin(), targets.end());
    Plan plan;
    while (!open.empty()) {
      const int variable = open.back();
      open.pop_back();
      if (known.contains(variable) || chosen.contains(variable)) continue;
      if (!drawable.contains(variable)) return std::nullopt;
      int best = -1;
      std::pair<size_t, int> least;
      for (const int sampler : samplers(variable)) {
        if (!ready(sampler, known, drawable)) continue;
        const std::pair cost = {ignored(sampler, known).size(), rank_[static_cast<size_t>(sampler)]};
        if (best < 0 || cost < least) best = sampler, least = cost;
      }
      chosen[variable] = best;
      for (const int conditional : ignored(best, known)) plan.ignored.push_back({best, conditional});
      open.insert(open.end(), all_[best].parents.begin(), all_[best].parents.end());
    }
    plan.steps = steps_of(chosen);
    return plan;
  }

  /// The variables that each variable is drawn from, directly or not.
  std::map<int, Variables> origins(const std::map<int, int>& chosen) const {
    std::map<int, Variables> from;
    for (const auto& [variable, conditional] : chosen) {
      std::vector<int> open = {variable};
      while (!open.empty()) {
        const auto found = chosen.find(open.back());
        open.pop_back();
        if (found == chosen.end()) continue;
        for (const int parent : all_[found->second].parents)
          if (chosen.contains(parent) && from[variable].insert(parent).second) open.push_back(parent);
      }
    }
    return from;
  }

  std::vector<Step> steps_of(const std::map<int, int>& chosen) const {
    std::map<int, Variables> from = origins(chosen);
    std::vector<Step> steps;
    Variables done;
    while (done.size() < chosen.size())
      for (const auto& [variable, conditional] : chosen) {
        if (done.contains(variable)) continue;
        Variables together = {variable};  // the variable, and those with which it forms a cycle
        for (const int other : from[variable])
          if (from[other].contains(variable)) together.insert(other);
        const bool waits = std::ranges::any_of(
            from[variable], [&](int other) { return !together.contains(other) && !done.contains(other); });
        if (waits) continue;
        done.insert(together.begin(), together.end());
        std::vector<int> conditionals;
        for (const int member : together) conditionals.push_back(chosen.at(member));
        steps.push_back({together.size() > 1, grouped(conditionals)});
      }
    return steps;
  }

  const Image& image_;
  const std::map<int, int>& by_;
  const completion::Players all_;
  std::vector<int> rank_;
};

/// The targets that do not depend on any known variable through the plan's draws.
std::vector<int> uninformed(const Image& image, const Plan& plan, const Query& query) {
  std::set<int> informed = query.known;
  informed.insert(query.partial.begin(), query.partial.end());
  for (bool changed = true; changed;) {
    changed = false;
    for (const Step& step : plan.steps)
      for (const std::vector<int>& group : step.groups)
        for (const int index : group) {
          const Conditional& conditional = conditional_of(image, index);
          if (std::ranges::any_of(conditional.parents, [&](int parent) { return informed.contains(parent); }))
            changed |= informed.insert(conditional.target).second;
        }
  }
  std::vector<int> found;
  for (const int target : query.targets)
    if (!informed.contains(target)) found.push_back(target);
  return found;
}

/// The conditional that completes a variable that is known in part: the one that ignores the fewest known
/// variables; on a tie, a decoder's. Its parents must be drawable if the variable counts as known. -1 if
/// there is none.
int completing_conditional(const Planner& planner, int variable, const Variables& known) {
  int best = -1;
  std::pair<size_t, int> least;
  for (const int sampler : planner.samplers(variable)) {
    const Conditional& conditional = conditional_of(planner.image(), sampler);
    if (conditional.player < 0) continue;
    if (!planner.plan(known, {conditional.parents.begin(), conditional.parents.end()})) continue;
    const std::pair cost = {planner.ignored(sampler, known).size(), -rank_of(planner.image(), conditional)};
    if (best < 0 || cost < least) best = sampler, least = cost;
  }
  return best;
}

/// Plans a query with variables that are known in part. Such a variable counts as known to the conditionals
/// that read it. These conditionals, and those that complete the variable, form a chain.
std::optional<Plan> plan_in_part(const Planner& planner, const Query& query) {
  Variables known = query.known;
  known.insert(query.partial.begin(), query.partial.end());
  Variables wanted(query.targets.begin(), query.targets.end());
  std::vector<int> turns;
  std::vector<Plan::Ignored> ignored;
  for (const int variable : query.partial) {
    const int sampler = completing_conditional(planner, variable, known);
    if (sampler < 0)
      throw Failure(Exit::bad_configuration, fmt::format("nothing completes {} from what is known of it",
                                                         planner.image().name_of(variable)));
    turns.push_back(sampler);
    const std::vector<int>& parents = conditional_of(planner.image(), sampler).parents;
    wanted.insert(parents.begin(), parents.end());
    for (const int conditional : planner.ignored(sampler, known)) ignored.push_back({sampler, conditional});
  }
  std::optional<Plan> plan = planner.plan(known, wanted);
  if (!plan) return plan;
  plan->ignored.insert(plan->ignored.begin(), ignored.begin(), ignored.end());
  Variables moving = query.partial;
  std::vector<Step> once;
  for (Step& step : plan->steps) {
    bool moves = false;
    for (const std::vector<int>& group : step.groups)
      for (const int member : group)
        moves |= std::ranges::any_of(conditional_of(planner.image(), member).parents,
                                     [&](int parent) { return moving.contains(parent); });
    if (!moves) {
      once.push_back(std::move(step));
      continue;
    }
    for (const std::vector<int>& group : step.groups)
      for (const int member : group) {
        moving.insert(conditional_of(planner.image(), member).target);
        turns.push_back(member);
      }
  }
  plan->steps = std::move(once);
  plan->steps.push_back({true, planner.grouped(turns)});
  return plan;
}

}  // namespace

size_t Plan::first_chain() const {
  return static_cast<size_t>(std::ranges::find(steps, true, &Step::chain) - steps.begin());
}

int Plan::sampler(const Image& image, int variable) const {
  for (const Step& step : steps)
    for (const std::vector<int>& group : step.groups)
      for (const int member : group)
        if (conditional_of(image, member).target == variable) return member;
  return -1;
}

Plan make_plan(const Image& image, const Query& query) {
  const Planner planner(image, query.by);
  for (const auto& [variable, player] : query.by)
    if (planner.samplers(variable).empty())
      throw Failure(Exit::usage,
                    fmt::format("{} does not give {}", image.players[static_cast<size_t>(player)].name,
                                image.name_of(variable)));
  const Variables targets(query.targets.begin(), query.targets.end());
  auto plan = query.partial.empty() ? planner.plan(query.known, targets, query.of_source)
                                    : plan_in_part(planner, query);
  if (!plan) {
    Variables known = query.known;
    known.insert(query.partial.begin(), query.partial.end());
    throw Failure(Exit::bad_configuration, planner.cause(known, targets));
  }
  for (const Step& step : plan->steps)
    for (const std::vector<int>& group : step.groups)
      for (const int member : group)
        for (const int parent : conditional_of(image, member).parents)
          if (query.known.contains(parent) || query.partial.contains(parent)) plan->used.insert(parent);
  const bool anything = !query.known.empty() || !query.partial.empty();
  if (const auto lost = uninformed(image, *plan, query); !lost.empty() && anything && !plan->ignored.empty())
    throw Failure(Exit::bad_configuration,
                  fmt::format("no player can draw `{}` from the known variables: {} ignores {}",
                              image.name_of(lost.front()),
                              name_of_conditional(image, plan->ignored.front().conditional),
                              image.name_of(plan->ignored.front().variable)));
  return *plan;
}

std::string name_of_conditional(const Image& image, int conditional) {
  const Conditional& entry = conditional_of(image, conditional);
  const std::string owner = entry.player >= 0   ? image.players[static_cast<size_t>(entry.player)].name
                            : entry.source >= 0 ? image.sources[static_cast<size_t>(entry.source)].name
                                                : "source";
  std::vector<std::string> parents;
  for (const int parent : entry.parents) parents.push_back(image.name_of(parent));
  return fmt::format("{}({}{}{})", owner, image.name_of(entry.target), parents.empty() ? "" : " | ",
                     fmt::join(parents, ", "));
}

std::string describe(const Image& image, const Plan& plan) {
  std::vector<std::string> steps;
  for (const Step& step : plan.steps) {
    std::vector<std::string> draws;
    for (const std::vector<int>& group : step.groups)
      for (const int member : group)
        draws.push_back(fmt::format("{} ~ {}", image.name_of(conditional_of(image, member).target),
                                    name_of_conditional(image, member)));
    steps.push_back(fmt::format("{}{}", step.chain ? "a chain of " : "", fmt::join(draws, ", ")));
  }
  return fmt::format("{}", fmt::join(steps, "; then "));
}

}  // namespace core
