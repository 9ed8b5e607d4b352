#include "runtime/data/arrays/idx.h"

#include <fmt/format.h>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace data {

/// The number format that the third byte of the magic number stands for.
static NumberFormat format_of(uint8_t code, const ByteSource& source) {
  switch (code) {
    case 0x08:
      return NumberFormat::u8;
    case 0x09:
      return NumberFormat::i8;
    case 0x0B:
      return NumberFormat::i16;
    case 0x0C:
      return NumberFormat::i32;
    case 0x0D:
      return NumberFormat::f32;
    case 0x0E:
      return NumberFormat::f64;
  }
  throw Failure(Exit::bad_data, fmt::format("{}: not an IDX file (no type of number has the code 0x{:02x})",
                                            source.name(), code));
}

Column read_idx(const std::filesystem::path& path, const std::string& name, const Placement& placement) {
  ByteSource source(path);
  std::vector<uint8_t> header;
  source.read(header, 4, "the header of an IDX file");
  if (header[0] != 0 || header[1] != 0)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: not an IDX file (begins with the bytes {:02x} {:02x} {:02x} {:02x})",
                              source.name(), header[0], header[1], header[2], header[3]));
  NumberFormat format = format_of(header[2], source);
  int axes = header[3];
  if (axes == 0)
    throw Failure(Exit::bad_data, fmt::format("{}: an IDX file without axes has no rows", source.name()));
  source.read(header, uint64_t{4} * axes, "the header of an IDX file");
  Shape shape;
  for (int axis = 0; axis < axes; ++axis) {
    const uint8_t* size = header.data() + 4 + 4 * axis;
    shape.push_back(int64_t{size[0]} << 24 | size[1] << 16 | size[2] << 8 | size[3]);
  }
  return read_array(source, {shape, format, true}, name, placement);
}

}  // namespace data
