// PNG and JPEG files decoded, alone or as the rows of a table.
// Failures: missing_input where a folder holds none, bad_data naming the file that is broken or does not fit.
#pragma once
#include <filesystem>
#include <optional>

#include "runtime/data/png.h"
#include "runtime/data/table.h"

namespace data {

enum class Colours {
  rgb,
  gray,
  indices
};  // indices: palette or gray values as they stand in the file, a class each

Picture read_picture(const std::filesystem::path& path, Colours colours);
/// Scaled to `height` by `width` with a triangle filter as wide as the step (no aliases); indices take the
/// nearest.
Picture resized(const Picture& picture, int64_t height, int64_t width, Colours colours);

/// The pictures of a folder, sorted by name: column `image` [3, H, W], or [H, W] of gray or indices. Pictures
/// in subfolders (where none lie in the folder itself) have a column `label`: the number of the subfolder, by
/// name. Pictures that `memory` has no room for are decoded when they are needed, ahead by threads of their
/// own.
Table read_pictures(const std::filesystem::path& folder, std::optional<Shape> size, Colours colours,
                    Memory* memory = nullptr);
/// The column `label` alone: no picture is opened.
Table read_picture_labels(const std::filesystem::path& folder);

}  // namespace data
