// Decodes PNG and JPEG files for viewing: EXIF orientation is applied, CMYK is converted to RGB, and an alpha
// channel is dropped. Failure(bad_data) names the broken file.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace data {

enum class Colours {
  rgb,
  gray,    // 0.299 R + 0.587 G + 0.114 B
  indices  // palette or gray values as the file stores them, each a class
};

struct DecodedPicture {
  int64_t height = 0, width = 0, channels = 1;  // 1 or 3 channels, the last axis of `values`
  bool deep = false;                            // white is 65535, else 255
  std::vector<uint16_t> values;

  uint16_t white() const { return deep ? 65535 : 255; }
};

DecodedPicture decode_picture(const std::filesystem::path& path, Colours colours);

/// Whether the file is a PNG with 16 bits per value. Reads only the header.
bool is_deep(const std::filesystem::path& path);

}  // namespace data
