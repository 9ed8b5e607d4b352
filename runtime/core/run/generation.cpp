#include "runtime/core/run/generation.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/run/sample_grid.h"
#include "runtime/shared/failure.h"

namespace core {

namespace {

bool is_decoders(const Image& image, const Conditional& conditional) {
  return conditional.player >= 0 &&
         image.players[static_cast<size_t>(conditional.player)].role == Role::decoder;
}

/// The generating conditional. If there is none: a conditional without parents, a decoder's before another
/// player's; else -1.
int sampled_conditional(const Image& image, int target) {
  int found = generating_conditional(image, target);
  if (found >= 0) return found;
  for (size_t i = 0; i < image.conditionals.size(); ++i) {
    const Conditional& root = image.conditionals[i];
    if (root.target != target || root.player < 0) continue;
    if (is_decoders(image, root)) return static_cast<int>(i);
    if (found < 0) found = static_cast<int>(i);
  }
  return found;
}

/// Whether a decoder draws another variable from this one.
bool is_decoded(const Image& image, int variable) {
  for (size_t other = 0; other < image.variables.size(); ++other) {
    const int sampled = sampled_conditional(image, static_cast<int>(other));
    if (sampled < 0 || static_cast<int>(other) == variable) continue;
    const Conditional& conditional = image.conditionals[static_cast<size_t>(sampled)];
    if (is_decoders(image, conditional) && std::ranges::count(conditional.parents, variable) > 0) return true;
  }
  return false;
}

const std::vector<int>& parents_of(const Image& image, int conditional) {
  return image.conditionals[static_cast<size_t>(conditional)].parents;
}

bool are_drawn(const std::vector<int>& variables, const Values& values) {
  return std::ranges::all_of(variables, [&](int variable) { return values.contains(variable); });
}

/// Draws the codes of the targets by a chain each. Targets with the same parents share a chain, and a later
/// chain draws anew what it shares with an earlier one. So draw the targets after all chains. False if
/// nothing draws the first codes.
bool follow_chains(const Image& image, Sampler& sampler, const std::vector<int>& targets, const Values& given,
                   int64_t rows, int64_t limiting, Values& codes) {
  for (int target : targets) {
    const std::vector<int>& parents = parents_of(image, sampled_conditional(image, target));
    if (!parents.empty() && are_drawn(parents, codes)) continue;
    std::optional<Values> first = draw_codes(sampler, image, target, rows, given);
    if (!first) return false;
    const std::optional<Chain> chain = find_chain(image, target, variables_of(given));
    if (!chain)
      throw Failure(Exit::bad_configuration,
                    fmt::format("there is no chain through {}: nothing draws its parents from it",
                                image.name_of(target)));
    follow_chain(sampler, *chain, given, *first, rows, limiting);
    for (auto& [variable, numbers] : *first) codes[variable] = std::move(numbers);
  }
  return true;
}

template <typename Holds>
std::vector<int> variables_where(const Image& image, const Holds& holds) {
  std::vector<int> found;
  for (int variable = 0; variable < static_cast<int>(image.variables.size()); ++variable) {
    if (holds(variable)) found.push_back(variable);
  }
  return found;
}

}  // namespace

std::vector<int> generated_variables(const Image& image) {
  std::vector<int> found = variables_where(image, [&](int variable) {
    const int sampled = sampled_conditional(image, variable);
    return sampled >= 0 && is_decoders(image, image.conditionals[static_cast<size_t>(sampled)]) &&
           !is_decoded(image, variable);
  });
  if (found.empty())
    found =
        variables_where(image, [&](int variable) { return generating_conditional(image, variable) >= 0; });
  if (found.empty())
    found = variables_where(image, [&](int variable) { return sampled_conditional(image, variable) >= 0; });
  // Images first: they are what .png and .npy show.
  std::ranges::stable_partition(found,
                                [&](int v) { return is_image(image.variables[static_cast<size_t>(v)]); });
  return found;
}

std::optional<Drawn> generate(const Image& image, Sampler& sampler, const std::vector<int>& targets,
                              const Values& given, int64_t rows, int64_t limiting) {
  Drawn drawn;
  if (limiting > 0 && !follow_chains(image, sampler, targets, given, rows, limiting, drawn.values))
    return std::nullopt;
  for (int target : targets) {
    const int generating = sampled_conditional(image, target);
    if (!are_drawn(parents_of(image, generating), drawn.values)) {
      std::optional<Values> codes = draw_codes(sampler, image, target, rows, given);
      if (!codes) return std::nullopt;
      drawn.values.merge(*codes);
    }
    drawn.means[target] = sampler.mean(generating, drawn.values, rows);
    drawn.values[target] = sampler.draw(generating, drawn.values, rows);
  }
  return drawn;
}

}  // namespace core
