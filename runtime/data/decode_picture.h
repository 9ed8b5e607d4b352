// PNG and JPEG files decoded as they are to be looked at: EXIF orientation is applied, CMYK is turned into
// RGB, an alpha channel is dropped. Failure(bad_data) names the file that is broken.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace data {

enum class Colours {
  rgb,
  gray,    // 0.299 R + 0.587 G + 0.114 B
  indices  // palette or gray values as they stand in the file, a class each
};

struct DecodedPicture {
  int64_t height = 0, width = 0, channels = 1;  // channels 1 or 3, last in `values`
  bool deep = false;                            // white is 65535, else 255
  std::vector<uint16_t> values;

  uint16_t white() const { return deep ? 65535 : 255; }
};

DecodedPicture decode_picture(const std::filesystem::path& path, Colours colours);

/// Whether the file is a PNG of 16 bits; no more than its header is read.
bool is_deep(const std::filesystem::path& path);

}  // namespace data
