// EXIF orientation: how a camera held the picture that a file stores.
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/data/decode_picture.h"

namespace data {

/// The tag Orientation (0x0112) of a TIFF header and its first directory, as EXIF 2.3 lays them out: 1 to 8.
/// 1, upright, where there is none or the bytes are broken.
int exif_orientation(const uint8_t* bytes, size_t count);

/// The picture as it is to be looked at.
DecodedPicture upright(DecodedPicture picture, int orientation);

}  // namespace data
