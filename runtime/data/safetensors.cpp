#include "runtime/data/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "runtime/data/byte_source.h"
#include "runtime/data/number_format.h"
#include "runtime/failure.h"

namespace data {
namespace {

using nlohmann::json;

struct Entry {
  Shape shape;
  NumberFormat format;
  uint64_t begin, end;  // in the bytes of the file
};

struct File {
  std::string name;
  std::vector<uint8_t> bytes;
  std::map<std::string, Entry> entries;
};

[[noreturn]] void fail(const std::string& file, const std::string& cause) {
  throw Failure(Exit::bad_data, fmt::format("{}: {}", file, cause));
}

NumberFormat format_of(const std::string& type, const std::string& file) {
  static const std::map<std::string, NumberFormat> formats = {
      {"BOOL", NumberFormat::boolean}, {"U8", NumberFormat::u8},     {"I8", NumberFormat::i8},
      {"U16", NumberFormat::u16},      {"I16", NumberFormat::i16},   {"U32", NumberFormat::u32},
      {"I32", NumberFormat::i32},      {"U64", NumberFormat::u64},   {"I64", NumberFormat::i64},
      {"F16", NumberFormat::f16},      {"BF16", NumberFormat::bf16}, {"F32", NumberFormat::f32},
      {"F64", NumberFormat::f64}};
  auto found = formats.find(type);
  if (found == formats.end()) fail(file, fmt::format("numbers of type `{}` are not read", type));
  return found->second;
}

bool is_list_of_sizes(const json& list) {
  if (!list.is_array()) return false;
  for (const json& item : list)
    if (!item.is_number_unsigned() || item.get<uint64_t>() > uint64_t{1} << 62) return false;
  return true;
}

File open_file(const std::filesystem::path& path) {
  File file{path.string(), read_file(path), {}};
  uint64_t length = 0;
  if (file.bytes.size() < sizeof length) fail(file.name, "not a safetensors file");
  std::memcpy(&length, file.bytes.data(), sizeof length);
  if (length > file.bytes.size() - sizeof length)
    fail(file.name, "not a safetensors file, or ends within its header");
  const uint64_t data_begin = sizeof length + length, data_size = file.bytes.size() - data_begin;
  json header =
      json::parse(file.bytes.begin() + sizeof length, file.bytes.begin() + data_begin, nullptr, false);
  if (!header.is_object()) fail(file.name, "the safetensors header is not JSON");
  for (const auto& [name, tensor] : header.items()) {
    if (name == "__metadata__") continue;
    const json none;
    auto get = [&](const char* key) -> const json& {
      auto found = tensor.is_object() ? tensor.find(key) : tensor.end();
      return tensor.is_object() && found != tensor.end() ? *found : none;
    };
    const json &type = get("dtype"), &shape = get("shape"), &place = get("data_offsets");
    if (!type.is_string() || !is_list_of_sizes(shape) || !is_list_of_sizes(place) || place.size() != 2)
      fail(file.name, fmt::format("the entry of tensor `{}` is malformed", name));
    Entry entry{shape.get<Shape>(), format_of(type.get<std::string>(), file.name), place[0], place[1]};
    uint64_t promised = element_count(entry.shape, file.name) * byte_size(entry.format);
    if (entry.begin <= entry.end && entry.end > data_size)
      fail(file.name, fmt::format("the file is cut short: tensor `{}` does not fit, it ends at byte {} of {}",
                                  name, entry.end, data_size));
    if (entry.begin > entry.end || entry.end - entry.begin != promised)
      fail(file.name, fmt::format("tensor `{}` of shape {} does not fit its place, bytes {} to {} of {}",
                                  name, to_string(entry.shape), entry.begin, entry.end, data_size));
    entry.begin += data_begin;
    entry.end += data_begin;
    file.entries.emplace(name, std::move(entry));
  }
  return file;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const Tensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    uint64_t size = tensor.values.size() * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + size}}};
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
    std::memcpy(at, tensor.values.data(), tensor.values.size() * sizeof(float));
    at += tensor.values.size() * sizeof(float);
  }
  write_file(path, bytes);
}

Tensors read_safetensors(const std::filesystem::path& path) {
  File file = open_file(path);
  Tensors tensors;
  for (const auto& [name, entry] : file.entries) {
    int64_t count = element_count(entry.shape, file.name);
    tensors[name] = {entry.shape, decode(entry.format, false, file.bytes.data() + entry.begin, count)};
  }
  return tensors;
}

Column read_safetensors_column(const std::filesystem::path& path, const std::string& name) {
  File file = open_file(path);
  auto found = file.entries.find(name);
  if (found == file.entries.end()) {
    std::vector<std::string> names;
    for (const auto& [other, entry] : file.entries) names.push_back("`" + other + "`");
    fail(file.name, fmt::format("has no tensor `{}`; it has {}", name, fmt::join(names, ", ")));
  }
  const Entry& entry = found->second;
  if (entry.shape.empty())
    fail(file.name, fmt::format("tensor `{}` is a single number and has no rows", name));
  Shape row_shape(entry.shape.begin() + 1, entry.shape.end());
  if (entry.format == NumberFormat::u8) {
    std::vector<uint8_t> values(file.bytes.begin() + entry.begin, file.bytes.begin() + entry.end);
    return byte_column(name, row_shape, entry.shape[0], std::move(values), whole_levels());
  }
  int64_t count = element_count(entry.shape, file.name);
  return real_column(name, row_shape, entry.shape[0],
                     decode(entry.format, false, file.bytes.data() + entry.begin, count));
}

}  // namespace data
