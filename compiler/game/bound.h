// The bounds of section 10 (elbo, iwae, rws, libi) for a model's sources. In: a model without errors, with
// one decoder and an encoder. Out: per learn block and source what the encoders draw and what the bound adds
// up; or errors that name what stands in the way.
#pragma once
#include <optional>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/semantics/model.h"
#include "runtime/completion/completion.h"

namespace game {

/// A variable that the bound integrates out.
struct Latent {
  semantics::ConditionalId posterior;  // an encoder's, which draws it
  semantics::ConditionalId prior;      // the decoder's, or a source's own
  /// E_posterior [log posterior - log prior] in closed form, of the variables drawn before; none where the
  /// families do not give it, or where the prior has a parent that is drawn from this one.
  semantics::NodeId kl;
};

/// E_q [sum of evidence - beta sum over latents of KL] + alpha sum of recognised.
struct Bound {
  semantics::SourceId source;
  std::vector<Latent> latents;                       // in the order in which they are drawn
  std::vector<semantics::ConditionalId> evidence;    // of what the source gives: the decoder's, or constants
  std::vector<semantics::ConditionalId> recognised;  // the encoders', of given targets and parents
};

/// Of one learn block; both empty for `symmetric`.
struct Bounds {
  std::vector<Bound> sources;                // none for `supervised`
  std::vector<semantics::SourceId> skipped;  // nothing is learned from their bound, or from their rows alone
};

/// Does the learn block maximize a bound (elbo, iwae, rws, libi)?
bool is_bound(const semantics::Learn& learn);

/// One for each learn block. Adds closed forms to the model's graph.
std::vector<Bounds> derive_bounds(semantics::Model& model, const completion::Players& players,
                                  base::Report& report);

/// Of one source; nothing where nothing is learned from it, or after an error.
std::optional<Bound> derive_bound(semantics::Model& model, const completion::Players& players,
                                  base::Report& report, const semantics::Learn& learn,
                                  semantics::SourceId source);

}  // namespace game
