#include "runtime/core/commands/reports/compare_picture.h"

#include <algorithm>
#include <cmath>

#include "runtime/core/run/generation.h"
#include "runtime/core/run/preprocessing.h"

namespace core {
namespace {

constexpr int64_t images_a_side = 8, points = 2000;
constexpr int64_t sketch_side = 128;  // pixels

bool is_plane(const Variable& variable) { return variable.domain == "real" && variable.shape == Shape{2}; }

}  // namespace

ComparePicture::ComparePicture(const Image& image, int64_t limiting) : image_(image), limiting_(limiting) {
  for (const int candidate : generated_variables(image)) {
    const Variable& entry = image.variables[static_cast<size_t>(candidate)];
    if (!is_image(entry) && !is_plane(entry)) continue;
    variable_ = candidate;
    generating_ = generating_conditional(image, candidate);
    shape_ = is_plane(entry) ? data::Shape{sketch_side, sketch_side} : data::Shape(entry.shape);
    a_side_ = is_plane(entry) ? 1 : images_a_side;
    for (const int64_t n : shape_) cell_ *= n;
    if (limiting > 0) chain_ = find_chain(image, candidate);
    return;
  }
}

const std::string& ComparePicture::variable() const { return image_.name_of(variable_); }

/// A picture of where the points lie: the more points, the brighter.
std::vector<float> ComparePicture::sketch(const std::vector<float>& points) {
  if (!frame_) {
    float low[2] = {points[0], points[1]}, high[2] = {points[0], points[1]};
    for (size_t i = 0; i < points.size(); ++i) {
      low[i % 2] = std::min(low[i % 2], points[i]);
      high[i % 2] = std::max(high[i % 2], points[i]);
    }
    const float widest = std::max({high[0] - low[0], high[1] - low[1], 1e-6F});
    frame_ = Frame{(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0.55F * widest};
  }
  std::vector<float> picture(static_cast<size_t>(sketch_side * sketch_side));
  for (size_t i = 0; i + 1 < points.size(); i += 2) {
    const auto place = [&](float value, float middle) {
      return std::lround(((value - middle) / frame_->reach + 1) / 2 * (sketch_side - 1));
    };
    const int64_t column = place(points[i], frame_->x),
                  row = sketch_side - 1 - place(points[i + 1], frame_->y);
    if (column < 0 || column >= sketch_side || row < 0 || row >= sketch_side) continue;
    float& pixel = picture[static_cast<size_t>(row * sketch_side + column)];
    pixel = std::min(1.0F, pixel + 0.34F);
  }
  return picture;
}

void ComparePicture::add(Session& session, const std::filesystem::path& checkpoint, uint64_t seed) {
  const bool plane = is_plane(image_.variables[static_cast<size_t>(variable_)]);
  Sampler sampler(session, seed);
  Preprocessing preprocessing(session.image, checkpoint);
  const int64_t rows = plane ? points : images_a_side;
  // If there is nothing to show, this half of the row stays gray.
  const size_t side_end = cells_.size() + static_cast<size_t>(cell_ * a_side_);
  const auto show = [&](const std::optional<Values>& codes, size_t end) {
    if (codes) {
      shows_ = true;
      std::vector<float> values =
          plane ? sketch(sampler.draw(generating_, *codes, rows)) : sampler.mean(generating_, *codes, rows);
      if (!plane) preprocessing.undo_for_picture(variable_, values);
      cells_.insert(cells_.end(), values.begin(), values.end());
    }
    cells_.resize(end, 0.5F);
  };
  std::optional<Values> codes = draw_codes(sampler, image_, variable_, rows);
  show(codes, side_end);
  if (!chain_) return;
  if (codes) follow_chain(sampler, *chain_, {}, *codes, rows, limiting_);
  show(codes, side_end + static_cast<size_t>(cell_ * a_side_));
}

data::Picture ComparePicture::draw() const {
  data::Shape shape = shape_;
  shape.insert(shape.begin(), static_cast<int64_t>(cells_.size()) / cell_);
  return data::grid(cells_.data(), shape, (chain_ ? 2 : 1) * a_side_);
}

}  // namespace core
