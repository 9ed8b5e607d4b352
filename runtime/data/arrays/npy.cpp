#include "runtime/data/arrays/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string_view>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

constexpr char magic[] = "\x93NUMPY";
constexpr size_t magic_size = 6;

/// The text after `'key':` in the dictionary of the header, up to the end of the header.
std::string_view value_of(std::string_view text, std::string_view key, const std::string& file) {
  size_t at = text.find(fmt::format("'{}'", key));
  size_t colon = at == std::string_view::npos ? at : text.find(':', at);
  if (colon == std::string_view::npos) fail_in(file, fmt::format("the NPY header gives no `{}`", key));
  std::string_view value = text.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

Shape parse_shape(std::string_view text, const std::string& file) {
  Shape shape;
  if (text.empty() || text[0] != '(') fail_in(file, "the NPY header gives no shape");
  const char* at = text.data() + 1;
  const char* end = text.data() + text.size();
  for (;;) {
    while (at != end && (*at == ' ' || *at == ',')) ++at;
    if (at == end) fail_in(file, "the shape in the NPY header does not end");
    if (*at == ')') return shape;
    int64_t axis = 0;
    auto [next, error] = std::from_chars(at, end, axis);
    if (error != std::errc() || axis < 0) fail_in(file, "the shape in the NPY header is malformed");
    shape.push_back(axis);
    at = next;
  }
}

NumberFormat format_of(const std::string& type, const std::string& file) {
  static const std::map<std::string, NumberFormat> formats = {
      {"b1", NumberFormat::boolean}, {"u1", NumberFormat::u8},  {"i1", NumberFormat::i8},
      {"u2", NumberFormat::u16},     {"i2", NumberFormat::i16}, {"u4", NumberFormat::u32},
      {"i4", NumberFormat::i32},     {"u8", NumberFormat::u64}, {"i8", NumberFormat::i64},
      {"f2", NumberFormat::f16},     {"f4", NumberFormat::f32}, {"f8", NumberFormat::f64}};
  auto found = type.empty() ? formats.end() : formats.find(type.substr(1));
  if (found == formats.end()) fail_in(file, fmt::format("NPY numbers of type `{}` are not read", type));
  return found->second;
}

ArrayLayout parse_header(std::string_view text, const std::string& file) {
  const std::string_view type = value_of(text, "descr", file);
  const size_t quote = type.empty() ? std::string_view::npos : type.find(type[0], 1);
  if (quote == std::string_view::npos || (type[0] != '\'' && type[0] != '"'))
    fail_in(file, "a record type is not an array of numbers");
  ArrayLayout layout;
  const std::string name(type.substr(1, quote - 1));
  layout.format = format_of(name, file);
  layout.big_endian = name[0] == '>';
  layout.fortran_order = value_of(text, "fortran_order", file).starts_with("True");
  layout.shape = parse_shape(value_of(text, "shape", file), file);
  return layout;
}

}  // namespace

Column read_npy(ByteSource& source, const std::string& name, const Placement& placement) {
  std::vector<uint8_t> bytes;
  const std::string what = "the header of an NPY file";
  source.read(bytes, magic_size + 4, what);
  if (std::memcmp(bytes.data(), magic, magic_size) != 0) fail_in(source.name(), "not an NPY file");
  const uint8_t version = bytes[6];
  if (version < 1 || version > 3) fail_in(source.name(), fmt::format("NPY version {} is not known", version));
  size_t length = bytes[8] | size_t{bytes[9]} << 8;
  if (version > 1) {
    source.read(bytes, 2, what);
    length |= size_t{bytes[10]} << 16 | size_t{bytes[11]} << 24;
  }
  std::vector<uint8_t> text;
  source.read(text, length, what);
  const ArrayLayout layout =
      parse_header({reinterpret_cast<const char*>(text.data()), length}, source.name());
  if (layout.shape.empty()) fail_in(source.name(), "a single number has no rows");
  return read_array(source, layout, name, placement);
}

Column read_npy(const std::filesystem::path& path, const std::string& name, const Placement& placement) {
  ByteSource source(path);
  return read_npy(source, name, placement);
}

std::vector<uint8_t> npy_bytes(const Shape& shape, const float* values) {
  int64_t count = element_count(shape, "array");
  std::string text = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{}), }}",
                                 fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // The numbers begin at a multiple of 64 bytes, so that other programs can map them into memory.
  size_t prefix = magic_size + 4;
  text.append(63 - (prefix + text.size()) % 64, ' ');
  text += '\n';
  std::vector<uint8_t> bytes(prefix + text.size() + count * sizeof(float));
  std::memcpy(bytes.data(), magic, magic_size);
  bytes[6] = 1;  // version 1 of the format
  bytes[8] = static_cast<uint8_t>(text.size());
  bytes[9] = static_cast<uint8_t>(text.size() >> 8);
  std::memcpy(bytes.data() + prefix, text.data(), text.size());
  if (count > 0) std::memcpy(bytes.data() + prefix + text.size(), values, count * sizeof(float));
  return bytes;
}

void write_npy(const std::filesystem::path& path, const Shape& shape, const float* values) {
  write_file(path, npy_bytes(shape, values));
}

}  // namespace data
