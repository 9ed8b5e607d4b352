// The description of a model that an image carries (runtime/image.md). In: the model, its game and its
// programs, and the same programs with the kernels of their loops.
#pragma once
#include <nlohmann/json.hpp>
#include <vector>

#include "compiler/lower/image/image.h"

namespace lower {

schema::Description describe(const semantics::Model& model, const nlohmann::json& game,
                             const Programs& programs, const Origin& origin,
                             std::vector<schema::Program> selected);

}  // namespace lower
