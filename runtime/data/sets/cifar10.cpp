#include "runtime/data/sets/cifar10.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t pixels = 3 * 32 * 32, record = 1 + pixels, block = 512;

using Bytes = std::vector<uint8_t>;

/// The text in a field of a tar header, up to its first zero byte.
std::string field(const Bytes& header, size_t begin, size_t length) {
  const auto first = header.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, std::find(first, first + static_cast<std::ptrdiff_t>(length), 0)};
}

uint64_t size_in(const Bytes& header, const std::string& archive) {
  uint64_t size = 0;
  for (const char digit : field(header, 124, 12)) {
    if (digit == ' ') continue;
    if (digit < '0' || digit > '7') fail_in(archive, "no tar archive: a size in it is not octal");
    size = 8 * size + static_cast<uint64_t>(digit - '0');
  }
  return size;
}

/// The contents of the wanted files by name. The folder of a file in the archive does not matter.
std::map<std::string, Bytes> read_archive(const fs::path& path, const std::vector<std::string>& files) {
  ByteSource source(path);
  std::map<std::string, Bytes> found;
  while (found.size() < files.size()) {
    Bytes header;
    source.read(header, block, "a header of a tar archive");
    if (std::ranges::all_of(header, [](uint8_t byte) { return byte == 0; })) break;
    const std::string name = fs::path(field(header, 0, 100)).filename().string();
    const uint64_t size = size_in(header, path.string());
    const uint64_t padded = (size + block - 1) / block * block;
    Bytes body;
    source.read(body, padded, fmt::format("`{}` of the archive", name));
    body.resize(size);
    if (std::ranges::count(files, name) > 0) found[name] = std::move(body);
  }
  return found;
}

void check_records(const std::string& file, const Bytes& bytes) {
  if (bytes.empty() || static_cast<int64_t>(bytes.size()) % record != 0)
    fail_in(file, fmt::format("{} bytes are not whole records of {}", bytes.size(), record));
  for (size_t at = 0; at < bytes.size(); at += record)
    if (bytes[at] > 9)
      fail_in(file, fmt::format("record {} has the label {}, which must be 0 to 9", at / record, bytes[at]));
}

/// Labels and pixels of all files, in order.
struct Records {
  Bytes labels, images;
  void add(const Bytes& bytes) {
    for (size_t at = 0; at < bytes.size(); at += record) {
      const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      labels.push_back(*first);
      images.insert(images.end(), first + 1, first + record);
    }
  }
};

Records read_records(const fs::path& place, const std::vector<std::string>& files) {
  const bool archive = place.filename().string().find(".tar") != std::string::npos;
  std::map<std::string, Bytes> contents;
  if (archive) contents = read_archive(place, files);
  Records records;
  for (const std::string& name : files) {
    const fs::path path = place.parent_path() / name;
    const std::string file = archive ? fmt::format("{}: {}", place.string(), name) : path.string();
    if (archive && !contents.contains(name))
      fail_in(place.string(), fmt::format("there is no `{}` in it", name));
    const Bytes bytes = archive ? std::move(contents.at(name)) : read_file(path);
    check_records(file, bytes);
    records.add(bytes);
  }
  return records;
}

}  // namespace

Table read_cifar10(const fs::path& place, const std::vector<std::string>& files, const Placement& placement) {
  Records records = read_records(place, files);
  const auto rows = static_cast<int64_t>(records.labels.size());
  Column image;
  const Shape shape = {3, 32, 32};
  if (!placement.memory || placement.memory->take(rows * pixels)) {
    image = byte_column("image", shape, rows, std::move(records.images), pixel_levels());
  } else {
    size_t written = 0;
    const auto contents = crc32_z(0, records.images.data(), records.images.size());
    const Unpacked file = unpacked(
        placement.cache, place, fmt::format("{} images from {}, {:08x}", rows, files.front(), contents),
        records.images.size(), [&](uint8_t* to, size_t most) {
          const size_t count = std::min(most, records.images.size() - written);
          std::copy_n(records.images.begin() + static_cast<std::ptrdiff_t>(written), count, to);
          written += count;
          return count;
        });
    image = array_on_disk(file.path, 0, {{rows, 3, 32, 32}, NumberFormat::u8}, "image");
    image.levels = pixel_levels();
  }
  image.pixels = true;
  return {"", {image, byte_column("label", {}, rows, std::move(records.labels), whole_levels())}};
}

}  // namespace data
