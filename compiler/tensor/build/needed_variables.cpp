#include "compiler/tensor/build/needed_variables.h"

#include <algorithm>
#include <ranges>
#include <unordered_set>

namespace tensor {

using semantics::VariableId;

namespace {

uint32_t draws_in(const semantics::Graph& graph, semantics::NodeId root) {
  uint32_t count = 0;
  std::unordered_set<int32_t> seen;
  std::vector<semantics::NodeId> stack = {root};
  while (!stack.empty()) {
    const semantics::NodeId id = stack.back();
    stack.pop_back();
    if (!id || !seen.insert(id.index).second) continue;
    const semantics::Node& node = graph[id];
    if (semantics::info(node.op).group == semantics::OpGroup::random) ++count;
    stack.insert(stack.end(), node.inputs.begin(), node.inputs.end());
  }
  return count;
}

}  // namespace

std::vector<bool> NeededVariables::of(const game::SourceGame& source, const std::vector<int>& players) {
  const bool chained = std::ranges::any_of(source.completions, &game::Completion::chain);
  std::vector<bool> needed(model_.variables.size(), chained);
  if (chained) return needed;
  const auto need = [&](const std::vector<VariableId>& variables) {
    for (const VariableId id : variables) needed[static_cast<size_t>(id.index)] = true;
  };
  for (const semantics::ConditionalId term : source.terms) {
    if (std::ranges::count(players, model_[term].player.index) == 0) continue;
    need({model_[term].target});
    need(model_[term].parents);
  }
  const auto is_needed = [&](VariableId id) { return needed[static_cast<size_t>(id.index)]; };
  for (const game::Completion& completion : std::views::reverse(source.completions)) {
    const semantics::Conditional& drawn = model_[completion.draws[0].conditional];
    if (is_needed(drawn.target)) need(drawn.parents);
  }
  const std::vector<Given>& facts = givens_of(source.source);
  const std::vector<semantics::Given>& givens = model_[source.source].givens;
  for (size_t i = givens.size(); i-- > 0;) {
    if (is_needed(givens[i].variable)) need(facts[i].parents);
  }
  return needed;
}

uint32_t NeededVariables::draws_of(semantics::ConditionalId id) {
  const auto found = draws_.find(id);
  if (found != draws_.end()) return found->second;
  return draws_[id] = draws_in(model_.graph, model_[id].sample);
}

const std::vector<NeededVariables::Given>& NeededVariables::givens_of(semantics::SourceId id) {
  givens_.resize(model_.sources.size());
  std::vector<Given>& facts = givens_[static_cast<size_t>(id.index)];
  if (!facts.empty()) return facts;
  for (const semantics::Given& given : model_[id].givens) {
    facts.push_back(
        given.drawn ? Given{model_[*given.drawn].parents, draws_of(*given.drawn)}
                    : Given{variables_of(model_.graph, given.value), draws_in(model_.graph, given.value)});
  }
  return facts;
}

}  // namespace tensor
