#include "runtime/data/pictures/png.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace data {

static void append_number(std::vector<uint8_t>& bytes, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(number >> shift));
}

static void append_chunk(std::vector<uint8_t>& file, const char* kind, const std::vector<uint8_t>& content) {
  append_number(file, static_cast<uint32_t>(content.size()));
  size_t begin = file.size();
  file.insert(file.end(), kind, kind + 4);
  file.insert(file.end(), content.begin(), content.end());
  append_number(file,
                static_cast<uint32_t>(crc32(0, file.data() + begin, static_cast<uInt>(file.size() - begin))));
}

void write_png(const std::filesystem::path& path, const Picture& picture) {
  const int64_t line = picture.width * picture.channels;
  std::vector<uint8_t> lines;
  lines.reserve(picture.height * (line + 1));
  for (int64_t row = 0; row < picture.height; ++row) {
    lines.push_back(0);  // no filter
    lines.insert(lines.end(), picture.pixels.begin() + row * line, picture.pixels.begin() + (row + 1) * line);
  }
  uLongf size = compressBound(lines.size());
  std::vector<uint8_t> compressed(size);
  compress2(compressed.data(), &size, lines.data(), lines.size(), 6);
  compressed.resize(size);

  std::vector<uint8_t> file = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, header;
  append_number(header, static_cast<uint32_t>(picture.width));
  append_number(header, static_cast<uint32_t>(picture.height));
  const uint8_t gray = 0, rgb = 2;
  header.insert(header.end(), {8, picture.channels == 1 ? gray : rgb, 0, 0, 0});
  append_chunk(file, "IHDR", header);
  append_chunk(file, "IDAT", compressed);
  append_chunk(file, "IEND", {});
  write_file(path, file);
}

Picture grid(const float* images, const Shape& shape, int64_t per_row, int64_t margin) {
  const bool has_channels = shape.size() == 4;
  if ((shape.size() != 3 && !has_channels) || (has_channels && shape[1] != 1 && shape[1] != 3))
    throw Failure(Exit::bad_data,
                  fmt::format("a picture needs images of shape [H, W], [1, H, W] or [3, H, W], not {}",
                              to_string(Shape(shape.begin() + !shape.empty(), shape.end()))));
  const int64_t count = shape[0], channels = has_channels ? shape[1] : 1;
  const int64_t height = shape[shape.size() - 2], width = shape.back();
  per_row = std::max<int64_t>(1, std::min(per_row, count));
  const int64_t grid_rows = std::max<int64_t>(1, (count + per_row - 1) / per_row);
  Picture picture;
  picture.height = margin + grid_rows * (height + margin);
  picture.width = margin + per_row * (width + margin);
  picture.channels = channels;
  picture.pixels.assign(picture.height * picture.width * channels, 128);
  for (int64_t image = 0; image < count; ++image) {
    const int64_t top = margin + image / per_row * (height + margin);
    const int64_t left = margin + image % per_row * (width + margin);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x) {
          float value = images[((image * channels + c) * height + y) * width + x];
          // NaN is drawn as black, 0: writing a picture should not fail for it.
          int64_t pixel = value > 0 ? std::lround(std::min(value, 1.0f) * 255) : 0;
          picture.pixels[((top + y) * picture.width + left + x) * channels + c] = static_cast<uint8_t>(pixel);
        }
  }
  return picture;
}

}  // namespace data
