// The description that an image carries: everything in runtime/image.md, as JSON. Adds the kernels of the
// programs' loops to `kernels`.
#pragma once
#include <nlohmann/json.hpp>

#include "compiler/lower/image/image.h"
#include "compiler/lower/loops/kernel_set.h"

namespace lower {

nlohmann::json describe(const semantics::Model& model, const nlohmann::json& game, const Programs& programs,
                        const Origin& origin, KernelSet& kernels);

}  // namespace lower
