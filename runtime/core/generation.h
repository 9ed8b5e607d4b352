// What a model generates, from codes and by the chain to its limiting distribution.
#pragma once
#include <optional>
#include <vector>

#include "runtime/core/sampler.h"

namespace core {

/// What decoders draw and no decoder draws another variable from; where there is no decoder, what players
/// draw from parents, else all that they draw. Images first.
std::vector<int> generated_variables(const Image& image);

/// One batch: draws and means of the targets, and what they came from.
struct Drawn {
  Values values;
  Values means;
};

/// Each target from codes, as the model generates; none where something that it needs has to be inferred.
/// `limiting` steps of the chain x -> codes -> x come first: Failure(bad_configuration) where there is none.
std::optional<Drawn> generate(const Image& image, Sampler& sampler, const std::vector<int>& targets,
                              const Values& given, int64_t rows, int64_t limiting);

}  // namespace core
