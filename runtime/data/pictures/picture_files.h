// PNG and JPEG files as the rows of a table. Values are bytes, or floats if some picture has 16 bits; they
// are in [0, 1] or class indices. Failures: missing_input if the folder cannot be read; bad_data if it has no
// picture, or names the file that is broken or does not fit.
#pragma once
#include <filesystem>
#include <optional>

#include "runtime/data/pictures/decode_picture.h"
#include "runtime/data/table.h"

namespace data {

/// The picture scaled to `height` by `width`. A triangle filter as wide as the step avoids aliasing; class
/// indices take the nearest pixel.
DecodedPicture resized(const DecodedPicture& picture, int64_t height, int64_t width, Colours colours);

/// One picture, scaled, as a column of one row.
Column picture_column(const std::filesystem::path& path, int64_t height, int64_t width, Colours colours);

/// The pictures of a folder (picture_folder.h): column `image`, [3, H, W] or, for gray and indices, [H, W],
/// and column `label` if each picture has a class. Pictures that `memory` has no space for are decoded when
/// they are needed.
Table read_pictures(const std::filesystem::path& folder, std::optional<Shape> size, Colours colours,
                    bool labelled = false, Memory* memory = nullptr);
/// Only the column `label`: no picture is opened.
Table read_picture_labels(const std::filesystem::path& folder);

}  // namespace data
