#include "runtime/data/pictures/picture_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>
#include <type_traits>

#include "runtime/data/pictures/picture_folder.h"
#include "runtime/data/read_ahead.h"
#include "runtime/shared/failure.h"

namespace data {
namespace fs = std::filesystem;
namespace {

struct Tap {
  int64_t first;
  std::vector<float> weights;
};

/// For each of `to` pixels in a line, its weights of the `from` pixels.
std::vector<Tap> taps(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to), reach = std::max(1.0, step);
  std::vector<Tap> result(to);
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + .5) * step;
    const auto first = std::max<int64_t>(0, std::lround(std::floor(centre - reach)));
    const auto last = std::min<int64_t>(from, std::lround(std::ceil(centre + reach)));
    double sum = 0;
    std::vector<double> weights;
    for (int64_t k = first; k < last; ++k) {
      weights.push_back(std::max(0.0, 1 - std::fabs(static_cast<double>(k) + .5 - centre) / reach));
      sum += weights.back();
    }
    result[i].first = first;
    for (double weight : weights) result[i].weights.push_back(static_cast<float>(weight / sum));
  }
  return result;
}

}  // namespace

DecodedPicture resized(const DecodedPicture& picture, int64_t height, int64_t width, Colours colours) {
  if (picture.height == height && picture.width == width) return picture;
  const int64_t channels = picture.channels;
  DecodedPicture result = picture;
  result.height = height;
  result.width = width;
  result.values.resize(height * width * channels);
  if (colours == Colours::indices) {
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        result.values[y * width + x] =
            picture.values[(2 * y + 1) * picture.height / (2 * height) * picture.width +
                           (2 * x + 1) * picture.width / (2 * width)];
    return result;
  }
  const auto white = static_cast<float>(picture.white());
  const std::vector<Tap> across = taps(picture.width, width), down = taps(picture.height, height);
  std::vector<float> narrow(picture.height * width * channels, 0.0f);
  for (int64_t y = 0; y < picture.height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (size_t k = 0; k < across[x].weights.size(); ++k)
        for (int64_t c = 0; c < channels; ++c)
          narrow[(y * width + x) * channels + c] +=
              across[x].weights[k] *
              picture.values[(y * picture.width + across[x].first + static_cast<int64_t>(k)) * channels + c];
  for (int64_t y = 0; y < height; ++y)
    for (int64_t i = 0; i < width * channels; ++i) {
      float sum = 0;
      for (size_t k = 0; k < down[y].weights.size(); ++k)
        sum += down[y].weights[k] * narrow[(down[y].first + static_cast<int64_t>(k)) * width * channels + i];
      result.values[y * width * channels + i] =
          static_cast<uint16_t>(std::lround(std::clamp(sum, 0.0f, white)));
    }
  return result;
}

namespace {

/// The pictures of a folder, decoded when they are needed. Axes: channels, height, width. Values are bytes;
/// if some picture has 16 bits they are floats, as fractions of white or as class indices.
template <typename T>
class PictureRows final : public RowSource<T> {
 public:
  PictureRows(std::vector<fs::path> files, Shape size, Colours colours)
      : files_(std::move(files)), height_(size[0]), width_(size[1]), colours_(colours) {}

  void read(const int64_t* rows, int64_t n, T* to) const override {
    for (int64_t row = 0; row < n; ++row) {
      const fs::path& file = files_[rows[row]];
      const DecodedPicture picture = resized(decode_picture(file, colours_), height_, width_, colours_);
      for (int64_t c = 0; c < picture.channels; ++c)
        for (int64_t i = 0; i < height_ * width_; ++i)
          *to++ = value(picture, picture.values[i * picture.channels + c], file);
    }
  }
  void expect(const int64_t*, int64_t) const override {}

 private:
  T value(const DecodedPicture& picture, uint16_t stored, const fs::path& file) const {
    if constexpr (std::is_same_v<T, float>)
      return colours_ == Colours::indices ? static_cast<float>(stored)
                                          : static_cast<float>(stored) / static_cast<float>(picture.white());
    if (picture.deep)
      throw Failure(Exit::bad_data,
                    fmt::format("{}: has 16 bits, which it did not have when it was opened", file.string()));
    return static_cast<T>(stored);
  }

  std::vector<fs::path> files_;
  int64_t height_, width_;
  Colours colours_;
};

/// The arguments of the readers of pictures.
struct Pictures {
  std::vector<fs::path> files;
  Shape size;  // height, width
  Colours colours;

  /// Reads all pictures into `held`. If `memory` has no space, sets `streamed` instead: the pictures are then
  /// decoded ahead by threads of their own.
  template <typename T>
  void fill(Column& column, Memory* memory, std::shared_ptr<const std::vector<T>>& held,
            std::shared_ptr<const RowSource<T>>& streamed) const {
    auto source = std::make_shared<PictureRows<T>>(files, size, colours);
    const int64_t elements = column.row_elements();
    if (memory && !memory->take(column.bytes_in_memory())) {
      const int threads = std::clamp<int>(static_cast<int>(std::thread::hardware_concurrency()) / 4, 1, 4);
      streamed = std::make_shared<ReadAhead<T>>(source, elements, memory->for_read_ahead(), threads);
      return;
    }
    std::vector<T> values(column.rows * elements);
    scan_rows(column.rows, elements, [&](const int64_t* index, int64_t first, int64_t n) {
      source->read(index, n, values.data() + first * elements);
    });
    held = std::make_shared<const std::vector<T>>(std::move(values));
  }

  Column column(Memory* memory) const {
    Column image;
    image.name = "image";
    image.row_shape = colours == Colours::rgb ? Shape{3, size[0], size[1]} : size;
    image.rows = static_cast<int64_t>(files.size());
    element_count({image.rows, element_count(image.row_shape, "images")}, "images");
    image.pixels = true;
    if (std::any_of(files.begin(), files.end(), is_deep)) {
      fill(image, memory, image.reals, image.real_rows);
    } else {
      image.levels = colours == Colours::indices ? whole_levels() : pixel_levels();
      fill(image, memory, image.bytes, image.byte_rows);
    }
    return image;
  }
};

Column label_column(const PictureList& list) {
  Column label = real_column("label", {}, static_cast<int64_t>(list.labels.size()),
                             std::vector<float>(list.labels.begin(), list.labels.end()));
  label.words = std::make_shared<const std::vector<std::string>>(list.classes);
  return label;
}

}  // namespace

Column picture_column(const fs::path& path, int64_t height, int64_t width, Colours colours) {
  return Pictures{{path}, {height, width}, colours}.column(nullptr);
}

Table read_picture_labels(const fs::path& folder) {
  const PictureList list = list_pictures(folder, true);
  Table table;
  if (list.labels.empty())
    throw Failure(Exit::bad_data,
                  fmt::format("{}: there is no column `label`, because its pictures are not in subfolders",
                              folder.string()));
  table.columns.push_back(label_column(list));
  return table;
}

Table read_pictures(const fs::path& folder, std::optional<Shape> size, Colours colours, bool labelled,
                    Memory* memory) {
  if (size && size->size() == 1) size->push_back(size->front());
  if (size && size->size() != 2)
    throw Failure(Exit::bad_configuration,
                  fmt::format("images: `size` must be [height, width], not {}", to_string(*size)));
  const PictureList list = list_pictures(folder, labelled);
  if (!size) {
    const DecodedPicture first = decode_picture(list.files.front(), colours);
    size = Shape{first.height, first.width};
  }
  Table table;
  table.columns.push_back(Pictures{list.files, *size, colours}.column(memory));
  if (!list.labels.empty()) table.columns.push_back(label_column(list));
  return table;
}

}  // namespace data
