#include "runtime/core/learning/average.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/failure.h"

namespace core {

Average::Average(const Image& image, double decay) : decay_(decay) {
  for (const Player& player : image.players) sums_.emplace_back(player.elements);
}

void Average::add(const Parameters& parameters) {
  const auto kept = static_cast<float>(decay_), fresh = static_cast<float>(1 - decay_);
  for (size_t player = 0; player < sums_.size(); ++player) {
    float* sum = sums_[player].data();
    const float* now = parameters.of(static_cast<int>(player));
    const int64_t count = sums_[player].size();
#pragma omp parallel for simd schedule(static)
    for (int64_t i = 0; i < count; ++i) sum[i] = kept * sum[i] + fresh * now[i];
  }
  ++steps;
}

Floats Average::of(int player) const {
  const Floats& sum = sums_[static_cast<size_t>(player)];
  Floats average(sum.size());
  const double share = 1 - std::pow(decay_, static_cast<double>(steps));
  for (int64_t i = 0; i < sum.size(); ++i) average[i] = steps == 0 ? 0 : static_cast<float>(sum[i] / share);
  return average;
}

std::filesystem::path weights_file(const std::filesystem::path& checkpoint, const std::string& weights) {
  const std::filesystem::path averages = checkpoint / "average.safetensors";
  const bool there = std::filesystem::exists(averages);
  if (weights == "average" && !there)
    throw Failure(Exit::missing_input,
                  fmt::format("--weights average: {} has no averages; its learn block has no `average`",
                              checkpoint.string()));
  return there && weights != "last" ? averages : checkpoint / "model.safetensors";
}

}  // namespace core
