#include "runtime/data/pictures/decode_picture.h"

#include <fmt/format.h>
// jpeglib.h needs the declarations in stdio, ...
#include <cstdio>

// ... and jerror.h needs those in jpeglib.h.
#include <jpeglib.h>

#include <jerror.h>
#include <png.h>

#include <array>
#include <bit>
#include <csetjmp>
#include <cstring>
#include <fstream>
#include <string_view>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/pictures/orientation.h"
#include "runtime/shared/failure.h"

namespace data {
namespace fs = std::filesystem;
namespace {

constexpr int64_t most_pixels = int64_t{1} << 26;

/// The contents of a file before rotation and conversion of colours.
struct Stored {
  DecodedPicture picture;      // with 1 or 3 channels, or 4 for CMYK
  std::vector<uint8_t> bytes;  // pixel values: one byte per value, two if the picture is deep
  std::vector<uint8_t*> lines;
  int orientation = 1;
  bool inverted = false;  // CMYK as Adobe writes it: 255 means no ink
};

// Both libraries report an error through a callback that must not return: it jumps back with longjmp, past
// the library's frames. Destructors do not run then, so the functions that are jumped into have no object
// with a destructor.
struct PngInput {
  const uint8_t* bytes;
  size_t left;
  char message[128];
};

void png_take(png_structp png, png_bytep to, size_t count) {
  auto input = static_cast<PngInput*>(png_get_io_ptr(png));
  if (count > input->left) png_error(png, "the file is truncated");
  std::memcpy(to, input->bytes, count);
  input->bytes += count;
  input->left -= count;
}

void png_failed(png_structp png, png_const_charp message) {
  auto input = static_cast<PngInput*>(png_get_error_ptr(png));
  std::snprintf(input->message, sizeof input->message, "%s", message);
  png_longjmp(png, 1);
}

void png_quiet(png_structp, png_const_charp) {}

void read_orientation(png_structp png, png_infop info, Stored& stored) {
  png_bytep bytes = nullptr;
  png_uint_32 count = 0;
  if (png_get_eXIf_1(png, info, &count, &bytes) != 0) stored.orientation = exif_orientation(bytes, count);
}

/// Returns false if the file is broken. `input` then has the cause.
bool decode_png(PngInput& input, Colours colours, Stored& stored) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input, png_failed, png_quiet);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  DecodedPicture& picture = stored.picture;
  png_set_read_fn(png, &input, png_take);
  png_read_info(png, info);
  const auto type = png_get_color_type(png, info);
  picture.height = png_get_image_height(png, info);
  picture.width = png_get_image_width(png, info);
  if (picture.height * picture.width > most_pixels) png_error(png, "the picture is too large");
  picture.deep = png_get_bit_depth(png, info) == 16;
  if (picture.deep && std::endian::native == std::endian::little) png_set_swap(png);
  png_set_packing(png);
  png_set_strip_alpha(png);
  picture.channels = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
  if (colours == Colours::indices) {
    if (picture.channels == 3 && type != PNG_COLOR_TYPE_PALETTE)
      png_error(png, "has colours, where classes need gray or palette indices");
    picture.channels = 1;
  } else {
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const int64_t line = picture.width * picture.channels * (picture.deep ? 2 : 1);
  if (static_cast<int64_t>(png_get_rowbytes(png, info)) != line)
    png_error(png, "this kind of PNG is not read");
  stored.bytes.resize(picture.height * line);
  stored.lines.resize(picture.height);
  for (int64_t y = 0; y < picture.height; ++y) stored.lines[y] = stored.bytes.data() + y * line;
  png_read_image(png, stored.lines.data());
  png_read_end(png, info);
  read_orientation(png, info, stored);
  png_destroy_read_struct(&png, &info, nullptr);
  return true;
}

struct JpegFailure {
  jpeg_error_mgr manager;  // must be first: the library passes back a pointer to it
  jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

void jpeg_failed(j_common_ptr jpeg) {
  auto failure = reinterpret_cast<JpegFailure*>(jpeg->err);
  jpeg->err->format_message(jpeg, failure->message);
  std::longjmp(failure->back, 1);
}

// A warning counts as an error, because the library would fill missing parts with gray. Extra bytes between
// the parts of a file are harmless: cameras write them.
void jpeg_warned(j_common_ptr jpeg, int level) {
  if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA) jpeg_failed(jpeg);
}

void read_orientation(const jpeg_decompress_struct& jpeg, Stored& stored) {
  constexpr std::string_view beginning("Exif\0\0", 6);
  for (jpeg_saved_marker_ptr marker = jpeg.marker_list; marker; marker = marker->next) {
    const std::string_view text(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (!text.starts_with(beginning)) continue;
    stored.orientation =
        exif_orientation(marker->data + beginning.size(), marker->data_length - beginning.size());
    return;
  }
}

J_COLOR_SPACE colour_space(J_COLOR_SPACE stored, Colours colours) {
  if (stored == JCS_CMYK || stored == JCS_YCCK) return JCS_CMYK;
  // A picture in RGB is decoded as RGB. rgb_to_gray, not the library, then makes the gray.
  if (colours == Colours::rgb || stored == JCS_RGB) return stored == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  return JCS_GRAYSCALE;
}

bool decode_jpeg(const std::vector<uint8_t>& bytes, Colours colours, Stored& stored, JpegFailure& failure) {
  jpeg_decompress_struct jpeg;
  std::memset(&jpeg, 0, sizeof jpeg);
  jpeg.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = jpeg_failed;
  failure.manager.emit_message = jpeg_warned;
  if (setjmp(failure.back)) {
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, bytes.data(), bytes.size());
  jpeg_save_markers(&jpeg, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = colour_space(jpeg.jpeg_color_space, colours);
  if (int64_t{jpeg.image_height} * jpeg.image_width > most_pixels) {
    std::snprintf(failure.message, sizeof failure.message, "the picture is too large");
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_start_decompress(&jpeg);
  DecodedPicture& picture = stored.picture;
  picture.height = jpeg.output_height;
  picture.width = jpeg.output_width;
  picture.channels = jpeg.output_components;
  stored.inverted = jpeg.saw_Adobe_marker != 0;
  const int64_t line = picture.width * picture.channels;
  stored.bytes.resize(picture.height * line);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = stored.bytes.data() + jpeg.output_scanline * line;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  read_orientation(jpeg, stored);  // before decompression ends, because that frees the saved markers
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return true;
}

/// Ink c, m, y is printed on top of black k. Each channel of light is what neither of the two inks covers.
void cmyk_to_rgb(DecodedPicture& picture, bool inverted) {
  const int64_t pixels = picture.height * picture.width;
  std::vector<uint16_t> rgb(pixels * 3);
  for (int64_t i = 0; i < pixels; ++i)
    for (int64_t c = 0; c < 3; ++c) {
      const auto light = [&](int64_t channel) {
        const uint32_t value = picture.values[4 * i + channel];
        return inverted ? value : 255 - value;
      };
      rgb[3 * i + c] = static_cast<uint16_t>((light(c) * light(3) + 127) / 255);
    }
  picture.values = std::move(rgb);
  picture.channels = 3;
}

/// Uses the weights of Rec. 601, rounded as PIL rounds them.
void rgb_to_gray(DecodedPicture& picture) {
  const int64_t pixels = picture.height * picture.width;
  for (int64_t i = 0; i < pixels; ++i) {
    const uint16_t* rgb = picture.values.data() + 3 * i;
    picture.values[i] = static_cast<uint16_t>(
        (uint64_t{19595} * rgb[0] + uint64_t{38470} * rgb[1] + uint64_t{7471} * rgb[2] + 0x8000) >> 16);
  }
  picture.values.resize(pixels);
  picture.channels = 1;
}

void gray_to_rgb(DecodedPicture& picture) {
  std::vector<uint16_t> rgb;
  rgb.reserve(picture.values.size() * 3);
  for (const uint16_t value : picture.values) rgb.insert(rgb.end(), 3, value);
  picture.values = std::move(rgb);
  picture.channels = 3;
}

DecodedPicture finished(Stored stored, Colours colours) {
  DecodedPicture& picture = stored.picture;
  if (picture.deep) {
    picture.values.resize(stored.bytes.size() / 2);
    std::memcpy(picture.values.data(), stored.bytes.data(), stored.bytes.size());
  } else {
    picture.values.assign(stored.bytes.begin(), stored.bytes.end());
  }
  if (picture.channels == 4) cmyk_to_rgb(picture, stored.inverted);
  if (colours == Colours::rgb && picture.channels == 1) gray_to_rgb(picture);
  if (colours != Colours::rgb && picture.channels == 3) rgb_to_gray(picture);
  return upright(std::move(picture), stored.orientation);
}

constexpr size_t signature_size = 8;

bool is_png(const uint8_t* bytes) { return png_sig_cmp(bytes, 0, signature_size) == 0; }

}  // namespace

DecodedPicture decode_picture(const fs::path& path, Colours colours) {
  const std::vector<uint8_t> bytes = read_file(path);
  Stored stored;
  if (bytes.size() >= signature_size && is_png(bytes.data())) {
    PngInput input{bytes.data(), bytes.size(), "out of memory"};
    if (!decode_png(input, colours, stored)) fail_in(path, input.message);
  } else if (bytes.size() >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff) {
    JpegFailure failure{};
    if (!decode_jpeg(bytes, colours, stored, failure)) fail_in(path, failure.message);
  } else {
    fail_in(path, "neither a PNG nor a JPEG picture");
  }
  return finished(std::move(stored), colours);
}

bool is_deep(const fs::path& path) {
  constexpr size_t place_of_depth = 24;  // in the first chunk, behind width and height
  std::array<uint8_t, place_of_depth + 1> header{};
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  return file.gcount() == header.size() && is_png(header.data()) && header[place_of_depth] == 16;
}

}  // namespace data
