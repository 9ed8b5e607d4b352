// PNG files: 8-bit gray or RGB pictures written, and batches of images assembled into one grid picture.
// Failure(cannot_write) with the path and what the system said.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "runtime/data/table.h"

namespace data {

struct Picture {
  int64_t height = 0, width = 0, channels = 1;  // channels 1 (gray) or 3 (RGB), last in `pixels`
  std::vector<uint8_t> pixels;
};

void write_png(const std::filesystem::path& path, const Picture& picture);

/// Images [n, H, W], [n, 1, H, W] or [n, 3, H, W] with values in [0, 1] (others are moved to the nearer end),
/// row by row, `per_row` to a row, with `margin` pixels of mid-gray around each. Other shapes: bad_data.
Picture grid(const float* images, const Shape& shape, int64_t per_row, int64_t margin = 2);

}  // namespace data
