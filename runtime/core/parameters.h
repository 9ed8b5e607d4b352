// The parameters of all players, one flat array each; every tensor at its place, in PyTorch's layout.
#pragma once
#include <deque>
#include <filesystem>

#include "runtime/core/image.h"
#include "runtime/core/memory.h"
#include "runtime/data/safetensors.h"

namespace core {

class Parameters {
 public:
  /// All zero.
  explicit Parameters(const Image& image);

  float* of(int player) const { return flat_[static_cast<size_t>(player)].data(); }
  std::vector<float*> pointers() const;

  /// As the file says each starts; a parameter's numbers depend on the seed and on its place in the image
  /// alone.
  void initialise(const Image& image, uint64_t seed);

 private:
  std::deque<Floats> flat_;
};

/// The tensors of one flat array by `parameter's name + suffix`.
void add_tensors(const Player& player, const float* flat, const std::string& suffix, data::Tensors& tensors);

/// Fills the flat array. Failure(bad_configuration) naming the first tensor that is missing or of another
/// shape, Failure(bad_data) where values are not finite; `file` names where they came from.
void take_tensors(const Player& player, const data::Tensors& tensors, const std::string& suffix,
                  const std::filesystem::path& file, float* flat);

}  // namespace core
