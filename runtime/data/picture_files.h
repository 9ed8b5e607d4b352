// PNG and JPEG files as the rows of a table. Bytes, or where some have 16 bits floats; in [0, 1], or class
// indices. Failures: missing_input where a folder holds none, bad_data naming the file that is broken or does
// not fit.
#pragma once
#include <filesystem>
#include <optional>

#include "runtime/data/decode_picture.h"
#include "runtime/data/table.h"

namespace data {

/// Scaled to `height` by `width` with a triangle filter as wide as the step (no aliases); indices take the
/// nearest.
DecodedPicture resized(const DecodedPicture& picture, int64_t height, int64_t width, Colours colours);

/// One picture, scaled, as a column of one row.
Column picture_column(const std::filesystem::path& path, int64_t height, int64_t width, Colours colours);

/// The pictures of a folder (picture_folder.h): column `image` [3, H, W], or [H, W] of gray or indices, and
/// `label` where each has a class. Pictures that `memory` has no space for are decoded when they are needed.
Table read_pictures(const std::filesystem::path& folder, std::optional<Shape> size, Colours colours,
                    bool labelled = false, Memory* memory = nullptr);
/// The column `label` alone: no picture is opened.
Table read_picture_labels(const std::filesystem::path& folder);

}  // namespace data
