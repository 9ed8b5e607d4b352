#include "runtime/core/run/sample_grid.h"

#include <algorithm>

namespace core {
namespace {

constexpr int64_t across = 12;           // images in a row of the picture
constexpr int64_t limiting_steps = 100;  // enough to see where the chain goes; `sample --limiting` takes more
// Steps of the sampler that are reserved for one picture. A picture has fewer draws, so pictures share no
// random numbers.
constexpr uint64_t draws_a_picture = 1 << 14;
// Pictures use another random key than training.
constexpr uint64_t picture_key = 0x9E3779B97F4A7C15u;

void append(std::vector<float>& images, const std::vector<float>& more) {
  images.insert(images.end(), more.begin(), more.end());
}

bool knows(const Source& source, int variable) {
  return std::find(source.known.begin(), source.known.end(), variable) != source.known.end();
}

}  // namespace

bool is_image(const Variable& variable) {
  const Shape& shape = variable.shape;
  const bool plane = shape.size() == 2 || (shape.size() == 3 && (shape[0] == 1 || shape[0] == 3));
  const bool shown = variable.domain == "binary" || variable.domain == "unit" || variable.domain == "real";
  return plane && shown && shape[shape.size() - 1] > 1 && shape[shape.size() - 2] > 1;
}

std::optional<Chain> find_chain(const Image& image, int variable, const std::set<int>& given) {
  const int generating = generating_conditional(image, variable);
  if (generating < 0) return std::nullopt;
  std::set<int> known = given;
  known.insert(variable);
  std::optional<DirectOrder> back =
      find_direct_order(image, known, image.conditionals[static_cast<size_t>(generating)].parents);
  // If the parents are drawn from a prior, which does not read x, there is no chain.
  if (!back || !back->used.count(variable)) return std::nullopt;
  return Chain{variable, generating, *back};
}

std::optional<Values> draw_codes(Sampler& sampler, const Image& image, int variable, int64_t rows,
                                 const Values& given) {
  const int generating = generating_conditional(image, variable);
  if (generating < 0) return std::nullopt;
  const std::vector<int>& parents = image.conditionals[static_cast<size_t>(generating)].parents;
  const std::set<int> known = variables_of(given);
  Values values = given;
  if (const auto order = find_direct_order(image, known, parents)) {
    sampler.follow(*order, values, rows);
    return values;
  }
  for (size_t source = 0; source < image.sources.size(); ++source) {
    const Source& entry = image.sources[source];
    if (entry.program < 0 || entry.known.empty() || knows(entry, variable)) continue;
    if (!sampler.has_rows(static_cast<int>(source))) continue;
    std::set<int> with_source = known;
    with_source.insert(entry.known.begin(), entry.known.end());
    const auto order = find_direct_order(image, with_source, parents);
    if (!order) continue;
    values.merge(sampler.source(static_cast<int>(source), rows));
    sampler.follow(*order, values, rows);
    return values;
  }
  return std::nullopt;
}

void follow_chain(Sampler& sampler, const Chain& chain, const Values& given, Values& values, int64_t rows,
                  int64_t steps) {
  for (int64_t i = 0; i < steps; ++i) {
    Values seen = given;
    if (!seen.count(chain.variable)) seen[chain.variable] = sampler.draw(chain.generating, values, rows);
    sampler.follow(chain.back, seen, rows);
    seen.erase(chain.variable);
    values = std::move(seen);
  }
}

SampleGrid::SampleGrid(Session& session, const std::vector<std::string>& learned)
    : session_(session), preprocessing_(session.image, learned) {
  const Image& image = session.image;
  for (size_t v = 0; v < image.variables.size() && variable_ < 0; ++v) {
    generating_ = is_image(image.variables[v]) ? generating_conditional(image, static_cast<int>(v)) : -1;
    if (generating_ >= 0) variable_ = static_cast<int>(v);
  }
  if (variable_ < 0) return;
  chain_ = find_chain(image, variable_);
  for (size_t s = 0; s < image.sources.size() && data_source_ < 0; ++s)
    if (image.sources[s].weight > 0 && image.sources[s].program >= 0 && knows(image.sources[s], variable_))
      data_source_ = static_cast<int>(s);
}

std::optional<data::Picture> SampleGrid::draw(uint64_t seed, int64_t step) {
  if (variable_ < 0) return std::nullopt;
  const Image& image = session_.image;
  if (!sampler_) sampler_.emplace(session_, seed ^ picture_key);
  std::vector<float> images;
  if (data_source_ >= 0 && sampler_->has_rows(data_source_)) {
    sampler_->set_step(0);
    Values data = sampler_->source(data_source_, across);
    append(images, data.at(variable_));
    sampler_->set_step((static_cast<uint64_t>(step) + 1) * draws_a_picture);
    if (chain_) {
      Values seen;
      seen[variable_] = data.at(variable_);
      sampler_->follow(chain_->back, seen, across);
      append(images, sampler_->mean(generating_, seen, across));
    }
  }
  sampler_->set_step((static_cast<uint64_t>(step) + 1) * draws_a_picture + draws_a_picture / 2);
  if (std::optional<Values> codes = draw_codes(*sampler_, image, variable_, 2 * across)) {
    append(images, sampler_->mean(generating_, *codes, 2 * across));
    if (chain_) {
      follow_chain(*sampler_, *chain_, {}, *codes, 2 * across, limiting_steps);
      append(images, sampler_->mean(generating_, *codes, 2 * across));
    }
  }
  if (images.empty()) return std::nullopt;
  preprocessing_.undo_for_picture(variable_, images);
  const Variable& variable = image.variables[static_cast<size_t>(variable_)];
  data::Shape shape = variable.shape;
  shape.insert(shape.begin(), static_cast<int64_t>(images.size()) / variable.elements());
  return data::grid(images.data(), shape, across);
}

}  // namespace core
