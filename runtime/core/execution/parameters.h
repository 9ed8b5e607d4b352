// The parameters of all players: one flat array per player, each tensor at its offset, in PyTorch's layout.
#pragma once
#include <deque>
#include <filesystem>

#include "runtime/core/image.h"
#include "runtime/core/machine/memory.h"
#include "runtime/data/arrays/safetensors.h"

namespace core {

class Parameters {
 public:
  /// All zero.
  explicit Parameters(const Image& image);

  float* of(int player) const { return flat_[static_cast<size_t>(player)].data(); }
  std::vector<float*> pointers() const;

  /// Gives each parameter its initial values as the file says. They depend only on the seed and on the
  /// parameter's place in the image.
  void initialise(const Image& image, uint64_t seed);

 private:
  std::deque<Floats> flat_;
};

/// Adds the tensors of one flat array to `tensors`, each under the parameter's name followed by `suffix`.
void add_tensors(const Player& player, const float* flat, const std::string& suffix, data::Tensors& tensors);

/// Fills the flat array from `tensors`. Failure(bad_configuration) names the first tensor that is missing or
/// has another shape. Failure(bad_data) if values are not finite. `file`: where the tensors came from, for
/// messages.
void take_tensors(const Player& player, const data::Tensors& tensors, const std::string& suffix,
                  const std::filesystem::path& file, float* flat);

}  // namespace core
