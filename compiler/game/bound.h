// The bounds of elbo, iwae, rws and libi, for the sources of a model. In: a model without errors, with one
// decoder and an encoder. Out: for each learn block and source, what the encoders draw and which terms the
// bound adds up. Otherwise errors that say what prevents the bound.
#pragma once
#include <optional>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/semantics/model.h"
#include "runtime/completion/completion.h"

namespace game {

/// A variable that the bound integrates out.
struct Latent {
  semantics::ConditionalId posterior;  // an encoder's conditional, which draws the variable
  semantics::ConditionalId prior;      // the decoder's conditional, or a family that a source states
  /// E_posterior [log posterior - log prior] in closed form, given the variables drawn before. None if the
  /// families have no closed form, or if a parent of the prior is drawn after this variable.
  semantics::NodeId kl;  // of Game::graph
};

/// E_q [sum of evidence - beta sum over latents of KL] + alpha sum of recognised.
struct Bound {
  semantics::SourceId source;
  std::vector<Latent> latents;  // in the order in which they are drawn
  /// Conditionals of given variables: the decoder's, or constants.
  std::vector<semantics::ConditionalId> evidence;
  /// Encoders' conditionals whose target and parents are given.
  std::vector<semantics::ConditionalId> recognised;
};

/// The bounds of one learn block. Both lists are empty for `symmetric`.
struct Bounds {
  std::vector<Bound> sources;                // empty for `supervised`
  std::vector<semantics::SourceId> skipped;  // sources whose bound (or rows) would teach nothing
};

/// Does the learn block maximize a bound (elbo, iwae, rws, libi)?
bool is_bound(const semantics::Learn& learn);

/// The bounds of every learn block. Adds closed forms to `graph`, which begins with the nodes of the model.
std::vector<Bounds> derive_bounds(const semantics::Model& model, semantics::Graph& graph,
                                  const completion::Players& players, base::Report& report);

/// The bound of one source. None if nothing is learned from it, or after an error.
std::optional<Bound> derive_bound(const semantics::Model& model, semantics::Graph& graph,
                                  const completion::Players& players, base::Report& report,
                                  const semantics::Learn& learn, semantics::SourceId source);

}  // namespace game
