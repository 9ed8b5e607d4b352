#include "runtime/core/learning/step/average.h"

#include <cmath>

namespace core {

double average_share(double decay, int64_t t) {
  return (1 - decay) / (1 - std::pow(decay, static_cast<double>(t)));
}

void add_to_averages(TrainingState& state, const Image& image, double decay) {
  const auto share = static_cast<float>(average_share(decay, ++state.averaged_steps));
  for (size_t player = 0; player < image.players.size(); ++player) {
    float* average = state.parameters.average_of(static_cast<int>(player));
    const float* now = state.parameters.of(static_cast<int>(player));
    const int64_t count = image.players[player].elements;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; ++i) average[i] += share * (now[i] - average[i]);
  }
}

}  // namespace core
