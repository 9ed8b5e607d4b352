// The settings with which a learn block trains unless the environment or a flag says otherwise. In: the
// block, analysed. Out: every key of its method with its value.
#pragma once
#include "compiler/semantics/model.h"
#include "runtime/schema/settings.h"

namespace lower {

schema::Settings describe_settings(const semantics::Model& model, const semantics::Learn& learn);

}  // namespace lower
