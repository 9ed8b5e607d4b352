// One picture of several runs: what each run generates from random codes, and beside it what it generates
// after a chain. Images show their means; points of the plane show a sketch of where they lie.
#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "runtime/core/execution/session.h"
#include "runtime/core/run/sample_grid.h"
#include "runtime/data/pictures/png.h"

namespace core {

class ComparePicture {
 public:
  /// Shows the first generated variable that can be shown. Limiting samples take `limiting` steps of the
  /// chain.
  ComparePicture(const Image& image, int64_t limiting);

  bool limiting() const { return chain_.has_value(); }
  bool possible() const { return variable_ >= 0; }
  /// Whether any row has something to show. Random codes exist only if something draws what the decoder
  /// reads.
  bool shows() const { return shows_; }
  const std::string& variable() const;
  /// Adds a row: the model with the parameters of `session`, which are those of the checkpoint.
  void add(Session& session, const std::filesystem::path& checkpoint, uint64_t seed);
  data::Picture draw() const;

 private:
  std::vector<float> sketch(const std::vector<float>& points);

  const Image& image_;
  int64_t limiting_;
  bool shows_ = false;
  std::optional<Chain> chain_;  // empty: only random codes are shown
  struct Frame {
    float x, y, reach;  // the middle, and how far the frame reaches to each side
  };
  std::optional<Frame> frame_;  // fits the first points that are sketched
  int variable_ = -1, generating_ = -1;
  data::Shape shape_;              // of one cell
  int64_t cell_ = 1, a_side_ = 1;  // elements of a cell; cells in half a row
  std::vector<float> cells_;       // one row of the picture after the other
};

}  // namespace core
