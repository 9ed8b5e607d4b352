// What is needed to estimate log p of a source's rows, or its bound: which densities of the model count, and
// how the encoders draw what the source does not know.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/inference/enumerated.h"
#include "runtime/core/inference/sampler.h"

namespace core {

/// Metrics of latents need only draws. The prior may then be a distribution that can only be sampled.
enum class Need { densities, draws };

struct Importance {
  std::vector<int> known, conditioned;  // log p(known | conditioned)
  std::vector<int> drawn;               // the rest of the model's variables
  std::vector<int> densities;           // conditionals of p, for the known and the drawn variables
  std::set<int> used;                   // the known variables that the proposal reads
  Enumerated summed;                    // the drawn variables that are summed over instead
  DirectOrder proposal;                 // draws the remaining variables
  /// Draws the same variables from their priors, if they have few dimensions. It is then half of the
  /// proposal, so that parts of the posterior which the encoders miss are found.
  std::optional<DirectOrder> prior;
};

/// Nothing if the source does not know any variable that a decoder models. `drawn`: variables that must not
/// be summed over. Failure(bad_configuration) if the model has no density, or no direct draws, for a
/// variable.
std::optional<Importance> plan_importance(const Image& image, const Source& source,
                                          Need need = Need::densities, const std::set<int>& drawn = {});

/// "log p(x | c)".
std::string text_of_likelihood(const Image& image, const Importance& plan);

/// The plans of the evaluated sources. Failure(bad_configuration) if there is none.
std::vector<std::pair<int, Importance>> plan_evaluation(const Image& image, Sampler& sampler,
                                                        Need need = Need::densities,
                                                        const std::set<int>& drawn = {});

}  // namespace core
