// Whether the bounds of section 10 (elbo, iwae, rws, libi) exist for a model's sources. In: a model without
// errors, with one decoder and an encoder. Out: errors that name what stands in the way.
#pragma once
#include "compiler/base/report.h"
#include "compiler/semantics/model.h"
#include "runtime/completion/completion.h"

namespace game {

/// For each learn block of such a method and each of its sources: what the decoder needs and the source does
/// not give has a density, and the encoders draw it directly.
void check_bounds(const semantics::Model& model, const completion::Players& players, base::Report& report);

}  // namespace game
