// The picture that training shows: for a variable that is an image, a row of data, a row of their
// reconstructions, rows of samples from codes and rows of limiting samples.
#pragma once
#include <optional>

#include "runtime/core/preprocessing.h"
#include "runtime/core/sampler.h"
#include "runtime/data/png.h"

namespace core {

/// [h, w] or [c, h, w] with 1 or 3 channels, of numbers that a picture can show.
bool is_image(const Variable& variable);

/// x -> parents of x -> x, a step each: the pair whose chain has the limiting distribution.
struct Chain {
  int variable = -1;    // x
  int generating = -1;  // the conditional that gives x
  DirectOrder back;     // x's parents, given x (and what is given)
};
/// Nothing where the parents of the variable cannot be drawn directly from it.
std::optional<Chain> find_chain(const Image& image, int variable, const std::set<int>& given = {});

/// What `variable`'s conditional needs, without the variable itself: from what is given, the players' and the
/// sources' own distributions, else the rows of a source that does not know `variable`.
std::optional<Values> draw_codes(Sampler& sampler, const Image& image, int variable, int64_t rows,
                                 const Values& given = {});

/// `steps` times: x given its parents, then the parents given x; what is given stays. In and out: the
/// parents.
void follow_chain(Sampler& sampler, const Chain& chain, const Values& given, Values& values, int64_t rows,
                  int64_t steps);

class SampleGrid {
 public:
  /// `learned`: the names of the sources that are learned from; they say in which units images are shown.
  SampleGrid(Session& session, const std::vector<std::string>& learned);
  /// Nothing where the model has no image. The same data in every picture of a run.
  std::optional<data::Picture> draw(uint64_t seed, int64_t step);

 private:
  Session& session_;
  Preprocessing preprocessing_;
  int variable_ = -1, generating_ = -1, data_source_ = -1;
  std::optional<Chain> chain_;
  std::optional<Sampler> sampler_;
};

}  // namespace core
