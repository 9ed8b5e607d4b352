// The parameters of all players: one flat array per player, each tensor at its offset, in PyTorch's layout.
#pragma once
#include <deque>
#include <filesystem>
#include <functional>

#include "runtime/core/image.h"
#include "runtime/core/machine/memory.h"
#include "runtime/data/arrays/safetensors.h"

namespace core {

class Parameters {
 public:
  /// All zero. If a program reads averages, they are kept.
  explicit Parameters(const Image& image);

  float* of(int player) const { return flat_[static_cast<size_t>(player)].data(); }
  /// Keeps a moving average of all parameters beside them, zero at first.
  void keep_averages();
  /// The player's averages, laid out as its parameters. They must be kept.
  float* average_of(int player) const { return averages_.at(static_cast<size_t>(player)).data(); }
  /// The players' parameters, then their averages if they are kept.
  std::vector<float*> pointers() const;

  /// Says whether it has given the parameter its values.
  using Take = std::function<bool(const Parameter& parameter, float* to)>;
  /// Gives each parameter its initial values as the file says, unless `take` gives it others. They depend
  /// only on the seed and on the parameter's place in the image.
  void initialise(const Image& image, uint64_t seed, const Take& take = {});

 private:
  std::deque<Floats> flat_, averages_;
};

/// Adds the tensors of one flat array to `tensors`, each under the parameter's name followed by `suffix`.
void add_tensors(const Player& player, const float* flat, const std::string& suffix, data::Tensors& tensors);

/// Fills the flat array from `tensors`. Failure(bad_configuration) names the first tensor that is missing or
/// has another shape. Failure(bad_data) if values are not finite. `file`: where the tensors came from, for
/// messages.
void take_tensors(const Player& player, const data::Tensors& tensors, const std::string& suffix,
                  const std::filesystem::path& file, float* flat);

}  // namespace core
