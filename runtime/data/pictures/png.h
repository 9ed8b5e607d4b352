// Writes PNG files: 8-bit gray or RGB pictures, and grids made of a batch of images. Failure(cannot_write)
// with the path and the system's message.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "runtime/data/table.h"

namespace data {

struct Picture {
  int64_t height = 0, width = 0, channels = 1;  // 1 channel (gray) or 3 (RGB), the last axis of `pixels`
  std::vector<uint8_t> pixels;
};

void write_png(const std::filesystem::path& path, const Picture& picture);

/// A grid of images [n, H, W], [n, 1, H, W] or [n, 3, H, W], filled row by row, `per_row` images in a row,
/// with `margin` pixels of mid-gray around each. Values are in [0, 1]; others are moved to the nearer end.
/// Failure(bad_data) for other shapes.
Picture grid(const float* images, const Shape& shape, int64_t per_row, int64_t margin = 2);

}  // namespace data
