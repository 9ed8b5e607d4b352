#include "runtime/data/arrays/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace data {
namespace {

using nlohmann::json;

struct Entry {
  Shape shape;
  NumberFormat format;
  uint64_t begin, end;  // byte positions in the file
};

/// The header's entries for all tensors. An entry is checked only when its tensor is used, so a tensor of an
/// unknown type does no harm to the others.
struct Header {
  std::string file;
  json tensors;
  json metadata;
  uint64_t begin = 0, size = 0;  // begin: where the tensors' bytes start; size: of the file; both in bytes

  Entry entry(const std::string& name) const;
};

struct File {
  Header header;
  std::vector<uint8_t> bytes;
};

NumberFormat format_of(const std::string& type, const std::string& tensor, const std::string& file) {
  static const std::map<std::string, NumberFormat> formats = {
      {"BOOL", NumberFormat::boolean}, {"U8", NumberFormat::u8},     {"I8", NumberFormat::i8},
      {"U16", NumberFormat::u16},      {"I16", NumberFormat::i16},   {"U32", NumberFormat::u32},
      {"I32", NumberFormat::i32},      {"U64", NumberFormat::u64},   {"I64", NumberFormat::i64},
      {"F16", NumberFormat::f16},      {"BF16", NumberFormat::bf16}, {"F32", NumberFormat::f32},
      {"F64", NumberFormat::f64}};
  auto found = formats.find(type);
  if (found == formats.end())
    fail_in(file, fmt::format("tensor `{}` holds numbers of type `{}`, which are not read", tensor, type));
  return found->second;
}

bool is_list_of_sizes(const json& list) {
  if (!list.is_array()) return false;
  for (const json& item : list)
    if (!item.is_number_unsigned() || item.get<uint64_t>() > uint64_t{1} << 62) return false;
  return true;
}

[[noreturn]] void fail_as_other(const std::string& file) {
  fail_in(file, "not a safetensors file, or ends within its header");
}

/// `text`: the JSON. `size`: bytes of the file. `begin`: where the tensors' bytes start in it.
Header parse_header(const std::string& file, std::string_view text, uint64_t begin, uint64_t size) {
  json tensors = json::parse(text.begin(), text.end(), nullptr, false);
  if (!tensors.is_object()) fail_in(file, "the safetensors header is not JSON");
  json metadata = tensors.value("__metadata__", json::object());
  tensors.erase("__metadata__");
  return {file, std::move(tensors), std::move(metadata), begin, size};
}

Entry Header::entry(const std::string& name) const {
  const json& tensor = tensors.at(name);
  const json none;
  auto get = [&](const char* key) -> const json& {
    auto found = tensor.is_object() ? tensor.find(key) : tensor.end();
    return tensor.is_object() && found != tensor.end() ? *found : none;
  };
  const json &type = get("dtype"), &shape = get("shape"), &place = get("data_offsets");
  if (!type.is_string() || !is_list_of_sizes(shape) || !is_list_of_sizes(place) || place.size() != 2)
    fail_in(file, fmt::format("the entry of tensor `{}` is malformed", name));
  Entry entry{shape.get<Shape>(), format_of(type.get<std::string>(), name, file), place[0], place[1]};
  const uint64_t promised = element_count(entry.shape, file) * byte_size(entry.format);
  const uint64_t data_size = size - begin;
  if (entry.begin <= entry.end && entry.end > data_size)
    fail_in(file, fmt::format("the file is cut short: tensor `{}` does not fit, it ends at byte {} of {}",
                              name, entry.end, data_size));
  if (entry.begin > entry.end || entry.end - entry.begin != promised)
    fail_in(file, fmt::format("tensor `{}` of shape {} does not fit its place, bytes {} to {} of {}", name,
                              to_string(entry.shape), entry.begin, entry.end, data_size));
  entry.begin += begin;
  entry.end += begin;
  return entry;
}

File open_file(const std::filesystem::path& path) {
  const std::string name = path.string();
  File file{{}, read_file(path)};
  uint64_t length = 0;
  if (file.bytes.size() < sizeof length) fail_in(name, "not a safetensors file");
  std::memcpy(&length, file.bytes.data(), sizeof length);
  if (length > file.bytes.size() - sizeof length) fail_as_other(name);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()) + sizeof length, length);
  file.header = parse_header(name, text, sizeof length + length, file.bytes.size());
  return file;
}

/// The header of a plain file; no more of the file is read. Nothing if the file is compressed.
std::optional<Header> header_of_plain(const std::filesystem::path& path) {
  ByteSource source(path);
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path, error);
  uint64_t length = 0;
  std::vector<uint8_t> bytes;
  if (error || size < sizeof length) fail_in(source.name(), "not a safetensors file");
  source.read(bytes, sizeof length, "the header of a safetensors file");
  if (!source.is_plain()) return {};
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > size - sizeof length) fail_as_other(source.name());
  std::vector<uint8_t> text;
  source.read(text, length, "the header of a safetensors file");
  return parse_header(source.name(), {reinterpret_cast<const char*>(text.data()), length},
                      sizeof length + length, size);
}

Entry find_entry(const Header& header, const std::string& name) {
  if (!header.tensors.contains(name)) {
    std::vector<std::string> names;
    for (const auto& [other, entry] : header.tensors.items()) names.push_back("`" + other + "`");
    fail_in(header.file, fmt::format("has no tensor `{}`; it has {}", name, fmt::join(names, ", ")));
  }
  Entry entry = header.entry(name);
  if (entry.shape.empty())
    fail_in(header.file, fmt::format("tensor `{}` is a single number and has no rows", name));
  return entry;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const Tensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t size = tensor.values.size() * (tensor.bytes ? 1 : sizeof(float));
    header[name] = {{"dtype", tensor.bytes ? "U8" : "F32"},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  uint64_t length = text.size();
  std::vector<uint8_t> bytes(sizeof length + length + offset);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, text.data(), length);
  uint8_t* at = bytes.data() + sizeof length + length;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.values.empty()) continue;
    if (tensor.bytes) {
      for (const float value : tensor.values) *at++ = static_cast<uint8_t>(value);
      continue;
    }
    std::memcpy(at, tensor.values.data(), tensor.values.size() * sizeof(float));
    at += tensor.values.size() * sizeof(float);
  }
  write_file(path, bytes);
}

Tensors read_safetensors(const std::filesystem::path& path, std::map<std::string, std::string>* metadata) {
  const File file = open_file(path);
  Tensors tensors;
  if (metadata && file.header.metadata.is_object())
    for (const auto& [key, text] : file.header.metadata.items())
      if (text.is_string()) (*metadata)[key] = text.get<std::string>();
  uint64_t left = file.header.size - file.header.begin;
  for (const auto& [name, described] : file.header.tensors.items()) {
    const Entry entry = file.header.entry(name);
    // Without this check a small file with overlapping tensors could ask for any amount of memory.
    if (entry.end - entry.begin > left) fail_in(file.header.file, "its tensors overlap");
    left -= entry.end - entry.begin;
    const int64_t count = element_count(entry.shape, file.header.file);
    tensors[name] = {entry.shape, decode(entry.format, false, file.bytes.data() + entry.begin, count),
                     entry.format == NumberFormat::u8};
  }
  return tensors;
}

Column read_safetensors_column(const std::filesystem::path& path, const std::string& name,
                               const Placement& placement) {
  if (const auto header = header_of_plain(path)) {
    const Entry entry = find_entry(*header, name);
    const Column column = array_on_disk(path, entry.begin, {entry.shape, entry.format}, "values");
    return placement.memory && !placement.memory->take(column.bytes_in_memory()) ? column : held(column);
  }
  const File file = open_file(path);
  const Entry entry = find_entry(file.header, name);
  const auto bytes = file.bytes.begin();
  ByteSource source({bytes + static_cast<int64_t>(entry.begin), bytes + static_cast<int64_t>(entry.end)},
                    path.string(), path);
  return read_array(source, {entry.shape, entry.format}, "values", {});
}

}  // namespace data
