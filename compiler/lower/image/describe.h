// The description of a model that an image carries (runtime/image.md). Adds the kernels of the programs'
// loops to `kernels`.
#pragma once
#include <nlohmann/json.hpp>

#include "compiler/lower/image/image.h"
#include "compiler/lower/loops/kernel_set.h"

namespace lower {

schema::Description describe(const semantics::Model& model, const nlohmann::json& game,
                             const Programs& programs, const Origin& origin, KernelSet& kernels);

}  // namespace lower
