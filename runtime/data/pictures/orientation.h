// EXIF orientation: how the camera was held when it took the picture that a file stores.
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/data/pictures/decode_picture.h"

namespace data {

/// The value, 1 to 8, of the tag Orientation (0x0112) in the first directory of a TIFF header, as in EXIF
/// 2.3. 1 (upright) if there is no tag or the bytes are broken.
int exif_orientation(const uint8_t* bytes, size_t count);

/// The picture turned so that it can be viewed.
DecodedPicture upright(DecodedPicture picture, int orientation);

}  // namespace data
