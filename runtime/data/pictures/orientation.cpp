#include "runtime/data/pictures/orientation.h"

#include <utility>

namespace data {
namespace {

/// Reads numbers from a TIFF structure. Beyond its end they are 0.
struct Tiff {
  const uint8_t* bytes;
  size_t count;
  bool big_endian;

  uint32_t number(size_t at, size_t size) const {
    if (at > count || size > count - at) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + (big_endian ? i : size - 1 - i)];
    return value;
  }
};

}  // namespace

int exif_orientation(const uint8_t* bytes, size_t count) {
  constexpr uint32_t magic = 42, orientation_tag = 0x0112, type_short = 3;
  constexpr size_t entry_size = 12;
  if (count < 8 || bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M')) return 1;
  const Tiff tiff{bytes, count, bytes[0] == 'M'};
  if (tiff.number(2, 2) != magic) return 1;
  const size_t directory = tiff.number(4, 4);
  const size_t entries = tiff.number(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * entry_size;
    if (tiff.number(entry, 2) != orientation_tag || tiff.number(entry + 2, 2) != type_short) continue;
    const auto value = static_cast<int>(tiff.number(entry + 8, 2));
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

DecodedPicture upright(DecodedPicture picture, int orientation) {
  if (orientation == 1) return picture;
  // The orientation says on which sides of the viewed picture the stored row 0 and column 0 lie. Values 1 to
  // 4: top left, top right, bottom right, bottom left. In values 5 to 8 rows and columns are swapped: left
  // top, right top, right bottom, left bottom.
  const bool turned = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  DecodedPicture result = picture;
  if (turned) std::swap(result.height, result.width);
  const int64_t channels = picture.channels;
  for (int64_t y = 0; y < result.height; ++y)
    for (int64_t x = 0; x < result.width; ++x) {
      const int64_t down = from_bottom ? result.height - 1 - y : y;
      const int64_t across = from_right ? result.width - 1 - x : x;
      const int64_t from = turned ? across * picture.width + down : down * picture.width + across;
      for (int64_t c = 0; c < channels; ++c)
        result.values[(y * result.width + x) * channels + c] = picture.values[from * channels + c];
    }
  return result;
}

}  // namespace data
