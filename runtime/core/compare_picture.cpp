#include "runtime/core/compare_picture.h"

#include <algorithm>
#include <cmath>

#include "runtime/core/generation.h"
#include "runtime/core/sample_grid.h"

namespace core {
namespace {

constexpr int64_t images_a_side = 8, points = 2000;
constexpr int64_t sketch_side = 96;   // pixels
constexpr float sketch_reach = 2.5F;  // the plane is shown from minus this to this

bool is_plane(const Variable& variable) { return variable.domain == "real" && variable.shape == Shape{2}; }

/// Where the points lie, as a picture: the more of them, the brighter.
std::vector<float> sketch(const std::vector<float>& values) {
  std::vector<float> picture(static_cast<size_t>(sketch_side * sketch_side));
  for (size_t i = 0; i + 1 < values.size(); i += 2) {
    const auto place = [](float value) {
      return std::lround((value / sketch_reach + 1) / 2 * (sketch_side - 1));
    };
    const int64_t column = place(values[i]), row = sketch_side - 1 - place(values[i + 1]);
    if (column < 0 || column >= sketch_side || row < 0 || row >= sketch_side) continue;
    float& pixel = picture[static_cast<size_t>(row * sketch_side + column)];
    pixel = std::min(1.0F, pixel + 0.34F);
  }
  return picture;
}

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
    return;
  }
}

const std::string& ComparePicture::variable() const {
  return image_.variables[static_cast<size_t>(variable_)].name;
}

void ComparePicture::add(Session& session, uint64_t seed) {
  const bool plane = is_plane(image_.variables[static_cast<size_t>(variable_)]);
  Sampler sampler(session, seed);
  const int64_t rows = plane ? points : images_a_side;
  // Where there is nothing to show the side stays gray.
  const size_t side_end = cells_.size() + static_cast<size_t>(cell_ * a_side_);
  const auto show = [&](const std::optional<Values>& codes, size_t end) {
    if (codes) {
      const std::vector<float> values =
          plane ? sketch(sampler.draw(generating_, *codes, rows)) : sampler.mean(generating_, *codes, rows);
      cells_.insert(cells_.end(), values.begin(), values.end());
    }
    cells_.resize(end, 0.5F);
  };
  std::optional<Values> codes = draw_codes(sampler, image_, variable_, rows);
  show(codes, side_end);
  const auto chain = find_chain(image_, variable_);
  if (!chain || limiting_ == 0) codes.reset();
  if (codes) follow_chain(sampler, *chain, {}, *codes, rows, limiting_);
  show(codes, side_end + static_cast<size_t>(cell_ * a_side_));
}

data::Picture ComparePicture::draw() const {
  data::Shape shape = shape_;
  shape.insert(shape.begin(), static_cast<int64_t>(cells_.size()) / cell_);
  return data::grid(cells_.data(), shape, 2 * a_side_);
}

}  // namespace core
