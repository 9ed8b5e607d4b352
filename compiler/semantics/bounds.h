// What the methods of likelihood bounds (elbo, iwae, rws, libi) ask of a model. In: a
// learn block and the model. Out: errors that say why the model does not admit the method and what would
// work.
#pragma once
#include <set>

#include "compiler/base/report.h"
#include "compiler/semantics/model.h"

namespace semantics {

/// Of a source that knows K: the decoders' ancestors of K without K, which a bound draws.
std::set<VariableId> needed_of(const Model& model, const Source& source);

/// The encoders' conditionals whose targets some source of `learn` leaves to be drawn.
std::vector<ConditionalId> drawn_latents(const Model& model, const Learn& learn);

/// Those whose targets some source of `learn` gives with missing values: the rows that miss one draw it.
std::vector<ConditionalId> drawn_where_missing(const Model& model, const Learn& learn);

/// How gradients pass through the draw of a latent.
struct Estimator {
  std::string kind;        // reparam, zgr, st, gumbel, score; or enumerate: a sum in place of the draw
  double temperature = 1;  // of gumbel
};

/// As the learn block says of the variable; else reparam where the sample is differentiable, zgr for binary
/// and category, score for the rest.
Estimator estimator_of(const Model& model, const Learn& learn, const Conditional& latent);

/// `at` is where the file says so.
void check_estimator(const std::string& kind, const Conditional& latent, base::Span at, const Model& model,
                     base::Report& report);

/// One decoder, and an encoder, where the method needs them.
void check_bound(const Learn& learn, base::Span at, const Model& model, base::Report& report);

}  // namespace semantics
