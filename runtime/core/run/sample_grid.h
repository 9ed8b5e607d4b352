// The picture that training shows for a variable that is an image: a row of data, a row of their
// reconstructions, rows of samples from codes, and rows of samples from the limiting distribution.
#pragma once
#include <optional>

#include "runtime/core/inference/sampler.h"
#include "runtime/core/run/preprocessing.h"
#include "runtime/data/pictures/png.h"

namespace core {

/// Whether the shape is [h, w] or [c, h, w] with 1 or 3 channels, and a picture can show the numbers of the
/// domain.
bool is_image(const Variable& variable);

/// The two steps of the chain x -> parents of x -> x, which approaches the limiting distribution.
struct Chain {
  int variable = -1;    // x
  int generating = -1;  // the conditional that gives x
  DirectOrder back;     // draws x's parents, given x and the given variables
};
/// Nothing if the parents of the variable cannot be drawn directly from it.
std::optional<Chain> find_chain(const Image& image, int variable, const std::set<int>& given = {});

/// Draws what `variable`'s conditional needs, without reading `variable` itself: from the given values, with
/// the players' and the sources' own distributions. If that is impossible: from the rows of a source that
/// does not know `variable`. Nothing if there is no such source either.
std::optional<Values> draw_codes(Sampler& sampler, const Image& image, int variable, int64_t rows,
                                 const Values& given = {});

/// Repeats `steps` times: draws x given its parents, then the parents given x. Given values do not change.
/// `values` holds the parents, before and after.
void follow_chain(Sampler& sampler, const Chain& chain, const Values& given, Values& values, int64_t rows,
                  int64_t steps);

class SampleGrid {
 public:
  /// `learned`: the names of the sources that are learned from; they say in which units images are shown.
  SampleGrid(Session& session, const std::vector<std::string>& learned);
  /// Nothing if the model has no image. Every picture of a run shows the same data.
  std::optional<data::Picture> draw(uint64_t seed, int64_t step);

 private:
  Session& session_;
  Preprocessing preprocessing_;
  int variable_ = -1, generating_ = -1, data_source_ = -1;
  std::optional<Chain> chain_;
  std::optional<Sampler> sampler_;
};

}  // namespace core
