// What the methods of likelihood bounds (elbo, iwae, rws, libi) need from a model. In: a learn block and the
// model. Out: errors that say why the model does not allow the method, and what would work.
#pragma once
#include <set>

#include "compiler/base/report.h"
#include "compiler/semantics/model.h"

namespace semantics {

/// The variables that a bound draws for a source that knows K: the ancestors of K in the decoder, without K
/// itself.
std::set<VariableId> needed_of(const Model& model, const Source& source);

/// The encoders' conditionals whose targets must be drawn in some source of `learn`.
std::vector<ConditionalId> drawn_latents(const Model& model, const Learn& learn);

/// The encoders' conditionals whose targets have missing values in some source of `learn`. Rows in which the
/// target is missing draw it.
std::vector<ConditionalId> drawn_where_missing(const Model& model, const Learn& learn);

/// How gradients pass through the draw of a latent.
struct Estimator {
  std::string kind;        // reparam, zgr, st, gumbel, score; or enumerate: a sum instead of a draw
  double temperature = 1;  // for gumbel
};

/// The estimator that the learn block names for the variable. Otherwise reparam if the sample is
/// differentiable, zgr for binary and category variables with a mean, and score for all others.
Estimator estimator_of(const Model& model, const Learn& learn, const Conditional& latent);

/// Reports an estimator that does not fit the latent. `at` is where the file names it.
void check_estimator(const std::string& kind, const Conditional& latent, base::Span at, const Model& model,
                     base::Report& report);

/// Checks that a model has one decoder and at least one encoder, if the method needs them.
void check_bound(const Learn& learn, base::Span at, const Model& model, base::Report& report);

}  // namespace semantics
