// One picture of several runs: what each generates from random codes, and beside it after a chain. Images
// show their means; points of the plane, a sketch of where they lie.
#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "runtime/core/sample_grid.h"
#include "runtime/core/session.h"
#include "runtime/data/png.h"

namespace core {

class ComparePicture {
 public:
  /// Of the first generated variable that can be shown; limiting samples take `limiting` steps of the chain.
  ComparePicture(const Image& image, int64_t limiting);

  bool limiting() const { return chain_.has_value(); }
  bool possible() const { return variable_ >= 0; }
  /// Whether any row has something to show: random codes need what the decoder reads.
  bool shows() const { return shows_; }
  const std::string& variable() const;
  /// The next row: the model with the parameters of `session`, those of the checkpoint.
  void add(Session& session, const std::filesystem::path& checkpoint, uint64_t seed);
  data::Picture draw() const;

 private:
  std::vector<float> sketch(const std::vector<float>& points);

  const Image& image_;
  int64_t limiting_;
  bool shows_ = false;
  std::optional<Chain> chain_;  // none: only random codes are shown
  struct Frame {
    float x, y, reach;  // middle, and how far it shows to each side
  };
  std::optional<Frame> frame_;  // of the first points sketched
  int variable_ = -1, generating_ = -1;
  data::Shape shape_;              // of one cell
  int64_t cell_ = 1, a_side_ = 1;  // its elements; cells in half a row
  std::vector<float> cells_;       // a row of the picture after the other
};

}  // namespace core
