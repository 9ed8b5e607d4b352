// The bytes of pictures for tests: JPEG written by libjpeg, and PNG of every kind written by hand.
#pragma once
// jpeglib.h needs the declarations of stdio.
#include <cstdio>

#include <jpeglib.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace pictures {

using Bytes = std::vector<uint8_t>;

/// An EXIF block as in APP1 of a JPEG (with `prefix` "Exif\0\0") or in eXIf of a PNG (without).
inline Bytes exif(int orientation, bool big_endian, std::string_view prefix) {
  Bytes bytes(prefix.begin(), prefix.end());
  const auto put = [&](uint32_t number, int size) {
    for (int i = 0; i < size; ++i)
      bytes.push_back(static_cast<uint8_t>(number >> 8 * (big_endian ? size - 1 - i : i)));
  };
  bytes.insert(bytes.end(), 2, big_endian ? 'M' : 'I');
  put(42, 2);
  put(8, 4);                                              // where the directory begins
  put(2, 2);                                              // its entries: tag, type, count, value
  put(0x0100, 2), put(4, 2), put(1, 4), put(640, 4);      // the width, which is not used
  put(0x0112, 2), put(3, 2), put(1, 4);                   // the orientation
  put(static_cast<uint32_t>(orientation), 2), put(0, 2);  // stored in the first half of the field
  put(0, 4);
  return bytes;
}

/// `pixels` of `space`: JCS_GRAYSCALE, JCS_RGB, JCS_CMYK (as Adobe writes it: 255 is no ink). `app1`: a block
/// for other programs.
inline Bytes jpeg(int height, int width, const Bytes& pixels, J_COLOR_SPACE space = JCS_RGB,
                  const Bytes& app1 = {}, J_COLOR_SPACE stored = JCS_UNKNOWN) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.input_components = space == JCS_GRAYSCALE ? 1 : space == JCS_CMYK ? 4 : 3;
  jpeg.in_color_space = space;
  jpeg_set_defaults(&jpeg);
  if (stored != JCS_UNKNOWN) jpeg_set_colorspace(&jpeg, stored);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  if (!app1.empty()) jpeg_write_marker(&jpeg, JPEG_APP0 + 1, app1.data(), static_cast<unsigned>(app1.size()));
  for (int y = 0; y < height; ++y) {
    auto row = const_cast<JSAMPROW>(pixels.data() + y * width * jpeg.input_components);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  Bytes result(bytes, bytes + size);
  jpeg_destroy_compress(&jpeg);
  free(bytes);
  return result;
}

/// A PNG with `lines` as its unfiltered rows. `kind`: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and
/// alpha. `extra`: chunks between the header and the rows.
inline Bytes png(uint32_t height, uint32_t width, int depth, int kind, const Bytes& lines,
                 const std::vector<std::pair<std::string, Bytes>>& extra = {}) {
  Bytes file = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  const auto number = [](Bytes& to, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<uint8_t>(value >> shift));
  };
  const auto chunk = [&](const std::string& name, const Bytes& content) {
    number(file, static_cast<uint32_t>(content.size()));
    const size_t begin = file.size();
    file.insert(file.end(), name.begin(), name.end());
    file.insert(file.end(), content.begin(), content.end());
    number(file,
           static_cast<uint32_t>(crc32(0, file.data() + begin, static_cast<uInt>(file.size() - begin))));
  };
  Bytes header;
  number(header, width);
  number(header, height);
  header.insert(header.end(), {static_cast<uint8_t>(depth), static_cast<uint8_t>(kind), 0, 0, 0});
  chunk("IHDR", header);
  for (const auto& [name, content] : extra) chunk(name, content);
  Bytes raw;
  const size_t line = lines.size() / height;
  for (size_t y = 0; y < height; ++y) {
    raw.push_back(0);
    raw.insert(raw.end(), lines.begin() + static_cast<int64_t>(y * line),
               lines.begin() + static_cast<int64_t>((y + 1) * line));
  }
  uLongf size = compressBound(raw.size());
  Bytes packed(size);
  compress2(packed.data(), &size, raw.data(), raw.size(), 6);
  packed.resize(size);
  chunk("IDAT", packed);
  chunk("IEND", {});
  return file;
}

/// Each value as 16 bits in PNG's byte order.
inline Bytes two_bytes(const std::vector<int>& values) {
  Bytes bytes;
  for (const int value : values) {
    bytes.push_back(static_cast<uint8_t>(value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
  }
  return bytes;
}

}  // namespace pictures
