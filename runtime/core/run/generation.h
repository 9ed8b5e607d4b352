// What a model generates: from codes, and through the chain to its limiting distribution.
#pragma once
#include <optional>
#include <vector>

#include "runtime/core/inference/sampler.h"

namespace core {

/// The variables that decoders draw and from which no decoder draws another variable. If there are none: the
/// variables that players draw from parents. If there are none either: all variables that players draw.
/// Images come first.
std::vector<int> generated_variables(const Image& image);

/// One batch: draws and means of the targets, and the values from which they were drawn.
struct Drawn {
  Values values;
  Values means;
};

/// Draws each target from codes, as the model generates. Nothing if a variable that is needed would have to
/// be inferred. `limiting`: how many steps of the chain x -> codes -> x come first.
/// Failure(bad_configuration) if there is no such chain.
std::optional<Drawn> generate(const Image& image, Sampler& sampler, const std::vector<int>& targets,
                              const Values& given, int64_t rows, int64_t limiting);

}  // namespace core
