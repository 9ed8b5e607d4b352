#include "runtime/core/exchange/published_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/data/memory.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char *format_name = "vaec published rows 1", *prefix = "step-", *suffix = ".safetensors";

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || value < 0 || value > int64_t{1} << 53) return {};
  return value;
}

int64_t number_in(const fs::path& path, const std::map<std::string, std::string>& metadata,
                  const std::string& key) {
  const auto found = metadata.find(key);
  const auto value = found == metadata.end() ? std::nullopt : whole_number(found->second);
  if (!value) data::fail_in(path, fmt::format("its metadata has no whole number `{}`", key));
  return *value;
}

void read_variables(const fs::path& path, const std::string& text, PublishedRows& rows) {
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array() || list.empty()) data::fail_in(path, "its metadata lists no `variables`");
  for (const json& item : list) {
    const bool good = item.is_object() && item.value("name", json()).is_string() &&
                      item.value("domain", json()).is_string();
    if (!good) data::fail_in(path, "an entry of its `variables` has no `name` and `domain`");
    rows.variables.push_back({item["name"], item["domain"]});
  }
}

void check_tensors(const fs::path& path, PublishedRows& rows) {
  for (const PublishedRows::Variable& variable : rows.variables) {
    const auto found = rows.tensors.find(variable.name);
    if (found == rows.tensors.end())
      data::fail_in(path, fmt::format("it lists {}, and holds no such tensor", variable.name));
    const data::Tensor& tensor = found->second;
    if (tensor.shape.empty() || tensor.shape[0] < 1)
      data::fail_in(path, fmt::format("its tensor {} has no rows", variable.name));
    if (rows.rows == 0) rows.rows = tensor.shape[0];
    if (tensor.shape[0] != rows.rows)
      data::fail_in(path, fmt::format("its tensor {} has {} rows, the ones before have {}", variable.name,
                                      tensor.shape[0], rows.rows));
    if (!std::ranges::all_of(tensor.values, [](float value) { return std::isfinite(value); }))
      data::fail_in(path, fmt::format("its tensor {} holds a number that is not finite", variable.name));
  }
}

}  // namespace

data::Table PublishedRows::table(const std::string& origin) const {
  data::Table table;
  table.origin = origin;
  for (const Variable& variable : variables) {
    const data::Tensor& tensor = tensors.at(variable.name);
    data::Column column = data::real_column(
        variable.name, data::Shape(tensor.shape.begin() + 1, tensor.shape.end()), rows, tensor.values);
    column.origin = origin;
    table.columns.push_back(std::move(column));
  }
  return table;
}

fs::path published_path(const fs::path& folder, int64_t step) {
  return folder / fmt::format("{}{}{}", prefix, step, suffix);
}

std::optional<int64_t> step_of_published(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return {};
  const size_t begin = std::string(prefix).size(), taken = begin + std::string(suffix).size();
  if (name.size() <= taken) return {};
  return whole_number(name.substr(begin, name.size() - taken));
}

std::vector<PublishedFile> published_files(const fs::path& folder) {
  std::vector<PublishedFile> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (const auto step = step_of_published(entry->path())) files.push_back({*step, entry->path()});
  std::ranges::sort(files, std::ranges::greater(), &PublishedFile::step);
  return files;
}

void write_published(const fs::path& path, const PublishedRows& rows) {
  json variables = json::array();
  for (const PublishedRows::Variable& variable : rows.variables)
    variables.push_back({{"name", variable.name}, {"domain", variable.domain}});
  data::write_safetensors(path, rows.tensors,
                          {{"format", format_name},
                           {"program", rows.program},
                           {"step", fmt::to_string(rows.step)},
                           {"every", fmt::to_string(rows.every)},
                           {"variables", variables.dump()}});
}

/// Files that others put into a folder are checked first: reading a pipe would never end, and a file may have
/// any size.
static void require_readable(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) data::fail_in(path, "not a regular file");
  const auto size = static_cast<int64_t>(fs::file_size(path, error));
  if (!error && !data::Memory::from_environment().has(size))
    data::fail_in(path,
                  fmt::format("its {} bytes are more than the memory for data (VAEC_DATA_MEMORY)", size));
  data::ByteSource source(path);
  std::vector<uint8_t> begin;
  source.read(begin, sizeof(uint64_t), "the header of a safetensors file");
  if (!source.is_plain()) data::fail_in(path, "it is compressed");
}

PublishedRows read_published(const fs::path& path) {
  require_readable(path);
  PublishedRows rows;
  std::map<std::string, std::string> metadata;
  rows.tensors = data::read_safetensors(path, &metadata);
  if (metadata["format"] != format_name) data::fail_in(path, "no `publish` wrote it");
  rows.program = metadata["program"];
  rows.step = number_in(path, metadata, "step");
  rows.every = std::max<int64_t>(1, number_in(path, metadata, "every"));
  read_variables(path, metadata["variables"], rows);
  check_tensors(path, rows);
  return rows;
}

}  // namespace core
