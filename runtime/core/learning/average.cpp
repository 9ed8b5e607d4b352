#include "runtime/core/learning/average.h"

#include <algorithm>
#include <cmath>

#include "runtime/core/execution/averages.h"

namespace core {

Average::Average(const Image& image, const Parameters& parameters, double decay)
    : image_(image), parameters_(parameters), decay_(decay) {
  const bool read = reads_averages(image);
  const size_t players = image.players.size();
  for (size_t player = 0; player < players; ++player) {
    if (!read) own_.emplace_back(image.players[player].elements);
    averages_.push_back(read ? parameters.of(static_cast<int>(players + player)) : own_.back().data());
  }
  begin();
}

void Average::begin() {
  steps = 0;
  for (size_t player = 0; player < image_.players.size(); ++player)
    std::copy_n(parameters_.of(static_cast<int>(player)), image_.players[player].elements,
                of(static_cast<int>(player)));
}

double Average::share(int64_t ahead) const {
  return (1 - decay_) / (1 - std::pow(decay_, static_cast<double>(steps + ahead + 1)));
}

void Average::add() {
  const auto fresh = static_cast<float>(share());
  for (size_t player = 0; player < image_.players.size(); ++player) {
    float* average = of(static_cast<int>(player));
    const float* now = parameters_.of(static_cast<int>(player));
    const int64_t count = image_.players[player].elements;
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; ++i) average[i] += fresh * (now[i] - average[i]);
  }
  ++steps;
}

}  // namespace core
