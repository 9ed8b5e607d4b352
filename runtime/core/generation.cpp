#include "runtime/core/generation.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/sample_grid.h"
#include "runtime/failure.h"

namespace core {

std::vector<int> generated_variables(const Image& image) {
  std::vector<int> found;
  for (size_t v = 0; v < image.variables.size(); ++v) {
    const int variable = static_cast<int>(v);
    if (generating_conditional(image, variable) < 0) continue;
    bool inner = false;
    for (size_t other = 0; other < image.variables.size(); ++other) {
      const int generating = generating_conditional(image, static_cast<int>(other));
      if (generating < 0 || static_cast<int>(other) == variable) continue;
      const Conditional& conditional = image.conditionals[static_cast<size_t>(generating)];
      const bool decoder = image.players[static_cast<size_t>(conditional.player)].role == "decoder";
      inner |= decoder && std::count(conditional.parents.begin(), conditional.parents.end(), variable) > 0;
    }
    const Conditional& own = image.conditionals[static_cast<size_t>(generating_conditional(image, variable))];
    if (!inner && image.players[static_cast<size_t>(own.player)].role == "decoder") found.push_back(variable);
  }
  if (found.empty())
    for (size_t v = 0; v < image.variables.size(); ++v)
      if (generating_conditional(image, static_cast<int>(v)) >= 0) found.push_back(static_cast<int>(v));
  // Images first: they are what .png and .npy show.
  std::stable_partition(found.begin(), found.end(),
                        [&](int v) { return is_image(image.variables[static_cast<size_t>(v)]); });
  return found;
}

std::optional<Drawn> generate(const Image& image, Sampler& sampler, const std::vector<int>& targets,
                              const Values& given, int64_t rows, int64_t limiting) {
  Drawn drawn;
  for (int target : targets) {
    const int generating = generating_conditional(image, target);
    const std::vector<int>& parents = image.conditionals[static_cast<size_t>(generating)].parents;
    const bool ready = std::all_of(parents.begin(), parents.end(),
                                   [&](int parent) { return drawn.values.count(parent) > 0; });
    if (!ready) {
      std::optional<Values> codes = draw_codes(sampler, image, target, rows, given);
      if (!codes) return std::nullopt;
      drawn.values.merge(*codes);
    }
    if (limiting > 0) {
      const std::optional<Chain> chain = find_chain(image, target, variables_of(given));
      if (!chain)
        throw Failure(Exit::bad_configuration,
                      fmt::format("there is no chain through {}: nothing draws its parents from it",
                                  image.variables[static_cast<size_t>(target)].name));
      follow_chain(sampler, *chain, given, drawn.values, rows, limiting);
    }
    drawn.means[target] = sampler.mean(generating, drawn.values, rows);
    drawn.values[target] = sampler.draw(generating, drawn.values, rows);
  }
  return drawn;
}

}  // namespace core
