// What an estimate of log p of a source's rows, or of its bound, is made of: which densities of the model
// count, and how the encoders draw what the source does not know.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/enumerated.h"
#include "runtime/core/sampler.h"

namespace core {

/// Draws alone are enough for what is asked of latents; a prior may then be one that is only sampled.
enum class Need { densities, draws };

struct Importance {
  std::vector<int> known, conditioned;  // log p(known | conditioned)
  std::vector<int> drawn;               // the rest of the model's variables
  std::vector<int> densities;           // conditionals of p: of what is known and of what is drawn
  std::set<int> used;                   // of what is known, to give the rest
  Enumerated summed;                    // of the rest, in place of draws
  DirectOrder proposal;                 // draws what is then left
  /// Draws that from its priors: where it has few dimensions, half of the proposal, so that a posterior
  /// with a part that the encoders miss is found.
  std::optional<DirectOrder> prior;
};

/// Nothing of a source that gives nothing a decoder models. `drawn`: variables that are not to be summed
/// over. Failure(bad_configuration) where the model states no density or no direct draws.
std::optional<Importance> plan_importance(const Image& image, const Source& source,
                                          Need need = Need::densities, const std::set<int>& drawn = {});

/// "log p(x | c)".
std::string text_of_likelihood(const Image& image, const Importance& plan);

/// Of each source that is evaluated. Failure(bad_configuration) where there is none.
std::vector<std::pair<int, Importance>> plan_evaluation(const Image& image, Sampler& sampler,
                                                        Need need = Need::densities,
                                                        const std::set<int>& drawn = {});

}  // namespace core
