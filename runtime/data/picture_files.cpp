#include "runtime/data/picture_files.h"

#include <fmt/format.h>
// jpeglib.h needs the declarations of stdio.
#include <cstdio>

// and jerror.h those of jpeglib.
#include <jpeglib.h>

#include <jerror.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstring>
#include <thread>

#include "runtime/data/byte_source.h"
#include "runtime/data/read_ahead.h"
#include "runtime/failure.h"

namespace data {
namespace fs = std::filesystem;
namespace {

constexpr int64_t most_pixels = int64_t{1} << 26;

[[noreturn]] void fail(const fs::path& path, const std::string& cause) {
  throw Failure(Exit::bad_data, fmt::format("{}: {}", path.string(), cause));
}

// Both libraries report errors by a call that must not return: it jumps back over their frames, which hold
// nothing to destroy. No object with a destructor lives in the functions that are jumped into.
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

/// False where the file is broken, with the cause in `input`.
bool decode_png(PngInput& input, Colours colours, Picture& picture, std::vector<uint8_t*>& lines) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input, png_failed, png_quiet);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  png_set_read_fn(png, &input, png_take);
  png_read_info(png, info);
  const auto type = png_get_color_type(png, info);
  picture.height = png_get_image_height(png, info);
  picture.width = png_get_image_width(png, info);
  if (picture.height * picture.width > most_pixels) png_error(png, "the picture is too large");
  png_set_strip_16(png);
  png_set_packing(png);
  png_set_strip_alpha(png);
  if (colours == Colours::indices) {
    if (type & PNG_COLOR_MASK_COLOR && type != PNG_COLOR_TYPE_PALETTE)
      png_error(png, "has colours, where classes need gray or palette indices");
  } else {
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
    if (colours == Colours::rgb) png_set_gray_to_rgb(png);
    // The weights of Rec. 601, as in PIL and OpenCV.
    if (colours == Colours::gray && type & PNG_COLOR_MASK_COLOR)
      png_set_rgb_to_gray_fixed(png, 1, 29900, 58700);
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  picture.channels = colours == Colours::rgb ? 3 : 1;
  const int64_t line = picture.width * picture.channels;
  if (static_cast<int64_t>(png_get_rowbytes(png, info)) != line)
    png_error(png, "this kind of PNG is not read");
  picture.pixels.resize(picture.height * line);
  lines.resize(picture.height);
  for (int64_t y = 0; y < picture.height; ++y) lines[y] = picture.pixels.data() + y * line;
  png_read_image(png, lines.data());
  png_read_end(png, nullptr);
  png_destroy_read_struct(&png, &info, nullptr);
  return true;
}

struct JpegFailure {
  jpeg_error_mgr manager;  // first: the library hands back a pointer to it
  jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};

void jpeg_failed(j_common_ptr jpeg) {
  auto failure = reinterpret_cast<JpegFailure*>(jpeg->err);
  jpeg->err->format_message(jpeg, failure->message);
  std::longjmp(failure->back, 1);
}

// A warning is a broken file too, where the library would fill what is missing with gray; stray bytes between
// the parts of a file do no harm, and cameras write them.
void jpeg_warned(j_common_ptr jpeg, int level) {
  if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA) jpeg_failed(jpeg);
}

bool decode_jpeg(const std::vector<uint8_t>& bytes, Colours colours, Picture& picture, JpegFailure& failure) {
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
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = colours == Colours::rgb ? JCS_RGB : JCS_GRAYSCALE;
  if (int64_t{jpeg.image_height} * jpeg.image_width > most_pixels) {
    std::snprintf(failure.message, sizeof failure.message, "the picture is too large");
    jpeg_destroy_decompress(&jpeg);
    return false;
  }
  jpeg_start_decompress(&jpeg);
  picture.height = jpeg.output_height;
  picture.width = jpeg.output_width;
  picture.channels = jpeg.output_components;
  const int64_t line = picture.width * picture.channels;
  picture.pixels.resize(picture.height * line);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = picture.pixels.data() + jpeg.output_scanline * line;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return true;
}

bool is_picture(const fs::path& path) {
  std::string end = path.extension().string();
  std::transform(end.begin(), end.end(), end.begin(), [](unsigned char c) { return std::tolower(c); });
  return end == ".png" || end == ".jpg" || end == ".jpeg";
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(at->path());
  if (error)
    throw Failure(Exit::missing_input,
                  fmt::format("cannot read the folder {}: {}", folder.string(), error.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

struct Listing {
  std::vector<fs::path> files;
  std::vector<int64_t> labels;  // empty where the pictures lie in the folder itself
};

Listing list_pictures(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw Failure(Exit::missing_input, fmt::format("{} is no folder of pictures", folder.string()));
  Listing listing;
  std::vector<fs::path> entries = sorted_entries(folder);
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(listing.files), is_picture);
  if (!listing.files.empty()) return listing;
  int64_t label = 0;
  for (const fs::path& entry : entries) {
    if (!fs::is_directory(entry)) continue;
    for (const fs::path& file : sorted_entries(entry))
      if (is_picture(file)) {
        listing.files.push_back(file);
        listing.labels.push_back(label);
      }
    ++label;
  }
  if (listing.files.empty())
    throw Failure(Exit::missing_input, fmt::format("{} holds no PNG or JPEG picture", folder.string()));
  return listing;
}

Column label_column(const Listing& listing) {
  return real_column("label", {}, static_cast<int64_t>(listing.labels.size()),
                     std::vector<float>(listing.labels.begin(), listing.labels.end()));
}

struct Tap {
  int64_t first;
  std::vector<float> weights;
};

/// What each of `to` pixels takes of `from` pixels in a line.
std::vector<Tap> taps(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to), reach = std::max(1.0, step);
  std::vector<Tap> result(to);
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + .5) * step;
    const auto first = std::max<int64_t>(0, std::lround(std::floor(centre - reach)));
    const auto last = std::min<int64_t>(from, std::lround(std::ceil(centre + reach)));
    double sum = 0;
    std::vector<double> weights;
    for (int64_t k = first; k < last; ++k) {
      weights.push_back(std::max(0.0, 1 - std::fabs(static_cast<double>(k) + .5 - centre) / reach));
      sum += weights.back();
    }
    result[i].first = first;
    for (double weight : weights) result[i].weights.push_back(static_cast<float>(weight / sum));
  }
  return result;
}

}  // namespace

Picture read_picture(const fs::path& path, Colours colours) {
  const std::vector<uint8_t> bytes = read_file(path);
  Picture picture;
  if (bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0) {
    PngInput input{bytes.data(), bytes.size(), "out of memory"};
    std::vector<uint8_t*> lines;
    if (!decode_png(input, colours, picture, lines)) fail(path, input.message);
  } else if (bytes.size() >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff) {
    JpegFailure failure{};
    if (!decode_jpeg(bytes, colours, picture, failure)) fail(path, failure.message);
  } else {
    fail(path, "neither a PNG nor a JPEG picture");
  }
  return picture;
}

Picture resized(const Picture& picture, int64_t height, int64_t width, Colours colours) {
  if (picture.height == height && picture.width == width) return picture;
  const int64_t channels = picture.channels;
  Picture result{height, width, channels, std::vector<uint8_t>(height * width * channels)};
  if (colours == Colours::indices) {
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        result.pixels[y * width + x] =
            picture.pixels[(2 * y + 1) * picture.height / (2 * height) * picture.width +
                           (2 * x + 1) * picture.width / (2 * width)];
    return result;
  }
  const std::vector<Tap> across = taps(picture.width, width), down = taps(picture.height, height);
  std::vector<float> narrow(picture.height * width * channels, 0.0f);
  for (int64_t y = 0; y < picture.height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (size_t k = 0; k < across[x].weights.size(); ++k)
        for (int64_t c = 0; c < channels; ++c)
          narrow[(y * width + x) * channels + c] +=
              across[x].weights[k] *
              picture.pixels[(y * picture.width + across[x].first + static_cast<int64_t>(k)) * channels + c];
  for (int64_t y = 0; y < height; ++y)
    for (int64_t i = 0; i < width * channels; ++i) {
      float sum = 0;
      for (size_t k = 0; k < down[y].weights.size(); ++k)
        sum += down[y].weights[k] * narrow[(down[y].first + static_cast<int64_t>(k)) * width * channels + i];
      result.pixels[y * width * channels + i] =
          static_cast<uint8_t>(std::lround(std::clamp(sum, 0.0f, 255.0f)));
    }
  return result;
}

namespace {

/// The pictures of a folder, decoded when they are needed: channels, then height, then width.
class PictureRows final : public RowSource<uint8_t> {
 public:
  PictureRows(std::vector<fs::path> files, Shape size, Colours colours)
      : files_(std::move(files)), height_(size[0]), width_(size[1]), colours_(colours) {}
  void read(const int64_t* rows, int64_t n, uint8_t* to) const override {
    for (int64_t row = 0; row < n; ++row) {
      const Picture picture = resized(read_picture(files_[rows[row]], colours_), height_, width_, colours_);
      for (int64_t c = 0; c < picture.channels; ++c)
        for (int64_t i = 0; i < height_ * width_; ++i) *to++ = picture.pixels[i * picture.channels + c];
    }
  }
  void expect(const int64_t*, int64_t) const override {}

 private:
  std::vector<fs::path> files_;
  int64_t height_, width_;
  Colours colours_;
};

}  // namespace

Table read_picture_labels(const fs::path& folder) {
  const Listing listing = list_pictures(folder);
  Table table;
  if (listing.labels.empty())
    throw Failure(Exit::bad_data, fmt::format("{}: no column `label`, for its pictures lie in no subfolders",
                                              folder.string()));
  table.columns.push_back(label_column(listing));
  return table;
}

Table read_pictures(const fs::path& folder, std::optional<Shape> size, Colours colours, Memory* memory) {
  if (size && size->size() == 1) size->push_back(size->front());
  if (size && size->size() != 2)
    throw Failure(Exit::bad_configuration,
                  fmt::format("images: `size` must be [height, width], not {}", to_string(*size)));
  const Listing listing = list_pictures(folder);
  const auto rows = static_cast<int64_t>(listing.files.size());
  if (!size) {
    const Picture first = read_picture(listing.files.front(), colours);
    size = Shape{first.height, first.width};
  }
  const Shape row_shape = colours == Colours::rgb ? Shape{3, (*size)[0], (*size)[1]} : *size;
  const int64_t elements = element_count(row_shape, "images");
  element_count({rows, elements}, "images");
  auto pictures = std::make_shared<PictureRows>(listing.files, *size, colours);
  Column image;
  if (!memory || memory->take(rows * elements)) {
    std::vector<uint8_t> pixels(rows * elements);
    scan_rows(rows, elements, [&](const int64_t* index, int64_t first, int64_t n) {
      pictures->read(index, n, pixels.data() + first * elements);
    });
    image = byte_column("image", row_shape, rows, std::move(pixels), nullptr);
  } else {
    const int threads = std::clamp<int>(static_cast<int>(std::thread::hardware_concurrency()) / 4, 1, 4);
    image.name = "image";
    image.row_shape = row_shape;
    image.rows = rows;
    image.byte_rows =
        std::make_shared<ReadAhead<uint8_t>>(pictures, elements, memory->for_read_ahead(), threads);
  }
  image.levels = colours == Colours::indices ? whole_levels() : pixel_levels();
  image.pixels = true;
  Table table;
  table.columns.push_back(std::move(image));
  if (!listing.labels.empty()) table.columns.push_back(label_column(listing));
  return table;
}

}  // namespace data
