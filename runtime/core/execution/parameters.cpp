#include "runtime/core/execution/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/core/execution/averages.h"
#include "runtime/core/execution/philox.h"
#include "runtime/core/finite.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

constexpr uint64_t before_all_steps = ~uint64_t{0};
constexpr uint32_t first_site = 0x10000000u;

void fill_normal(float* values, int64_t count, double scale, uint64_t seed, uint32_t site) {
  for (int64_t i = 0; i < count; ++i)
    values[i] =
        static_cast<float>(scale * philox_normal(seed, before_all_steps, site, static_cast<uint64_t>(i)));
}

/// Fills a tensor as torch.nn.init.orthogonal_ does. As a matrix (the first axis against all others), its
/// rows or columns, whichever are fewer, become orthonormal and are multiplied by `gain`. Gram-Schmidt,
/// twice, in double.
void fill_orthogonal(float* values, const Shape& shape, int64_t count, double gain, uint64_t seed,
                     uint32_t site) {
  const int64_t rows = shape.empty() ? 1 : shape.front(), columns = rows ? count / rows : 0;
  const int64_t vectors = std::min(rows, columns), length = std::max(rows, columns);
  std::vector<double> basis(static_cast<size_t>(vectors * length));
  for (size_t i = 0; i < basis.size(); ++i) basis[i] = philox_normal(seed, before_all_steps, site, i);
  for (int64_t v = 0; v < vectors; ++v) {
    double* vector = &basis[static_cast<size_t>(v * length)];
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t u = 0; u < v; ++u) {
        const double* other = &basis[static_cast<size_t>(u * length)];
        double dot = 0;
        for (int64_t i = 0; i < length; ++i) dot += vector[i] * other[i];
        for (int64_t i = 0; i < length; ++i) vector[i] -= dot * other[i];
      }
    double square = 0;
    for (int64_t i = 0; i < length; ++i) square += vector[i] * vector[i];
    for (int64_t i = 0; i < length; ++i) vector[i] /= std::sqrt(square);
  }
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      values[row * columns + column] = static_cast<float>(
          gain * basis[static_cast<size_t>(rows <= columns ? row * length + column : column * length + row)]);
}

void fill(float* values, const Parameter& parameter, uint64_t seed, uint32_t site) {
  const int64_t count = parameter.elements();
  const Initial& initial = parameter.initial;
  switch (initial.kind) {
    case Initial::Kind::constant:
      std::fill(values, values + count, static_cast<float>(initial.value));
      break;
    case Initial::Kind::uniform:
      for (int64_t i = 0; i < count; ++i)
        values[i] = static_cast<float>(
            initial.scale *
            (2.0 * philox_uniform(seed, before_all_steps, site, static_cast<uint64_t>(i)) - 1));
      break;
    case Initial::Kind::normal:
      fill_normal(values, count, initial.scale, seed, site);
      break;
    case Initial::Kind::orthogonal:
      fill_orthogonal(values, parameter.shape, count, initial.scale, seed, site);
      break;
  }
}

}  // namespace

Parameters::Parameters(const Image& image) {
  for (const Player& player : image.players) flat_.emplace_back(player.elements);
  if (reads_averages(image)) keep_averages();
}

void Parameters::keep_averages() {
  if (!averages_.empty()) return;
  for (const Floats& parameters : flat_) averages_.emplace_back(parameters.size());
}

std::vector<float*> Parameters::pointers() const {
  std::vector<float*> found;
  for (const auto* arrays : {&flat_, &averages_})
    for (const Floats& flat : *arrays) found.push_back(flat.data());
  return found;
}

void Parameters::initialise(const Image& image, uint64_t seed, const Take& take) {
  uint32_t site = first_site;
  for (size_t player = 0; player < image.players.size(); ++player)
    for (const Parameter& parameter : image.players[player].parameters) {
      float* to = flat_[player].data() + parameter.offset;
      if (!take || !take(parameter, to)) fill(to, parameter, seed, site);
      ++site;
    }
}

void add_tensors(const Player& player, const float* flat, const std::string& suffix, data::Tensors& tensors) {
  for (const Parameter& parameter : player.parameters) {
    const float* begin = flat + parameter.offset;
    tensors[parameter.name + suffix] = {parameter.shape, {begin, begin + parameter.elements()}};
  }
}

void take_tensors(const Player& player, const data::Tensors& tensors, const std::string& suffix,
                  const std::filesystem::path& file, float* flat) {
  for (const Parameter& parameter : player.parameters) {
    const std::string name = parameter.name + suffix;
    const auto found = tensors.find(name);
    if (found == tensors.end())
      throw Failure(Exit::bad_configuration,
                    fmt::format("{} has no tensor {}: it is of another model", file.string(), name));
    if (found->second.shape != parameter.shape)
      throw Failure(Exit::bad_configuration,
                    fmt::format("{}: {} has the shape {}, this model needs {}", file.string(), name,
                                data::to_string(found->second.shape), data::to_string(parameter.shape)));
    const std::vector<float>& values = found->second.values;
    if (const char* what = not_finite(values); what[0] != 0)
      throw Failure(Exit::bad_data,
                    fmt::format("{}: {} holds a value that is {}", file.string(), name, what));
    std::copy(values.begin(), values.end(), flat + parameter.offset);
  }
}

}  // namespace core
