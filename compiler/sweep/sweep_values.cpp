#include "compiler/sweep/sweep_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "runtime/shared/content_hash.h"
#include "runtime/shared/failure.h"

namespace vaec {
namespace {

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

}  // namespace

std::vector<std::string> split_values(const std::string& flag, const std::string& text) {
  std::vector<std::string> values(1);
  int depth = 0;
  bool quoted = false, escaped = false;
  for (const char c : text) {
    if (!escaped && c == '"') quoted = !quoted;
    escaped = quoted && !escaped && c == '\\';
    if (!quoted) depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    if (c == ',' && depth == 0 && !quoted)
      values.emplace_back();
    else
      values.back() += c;
  }
  for (std::string& value : values) {
    value = trimmed(value);
    if (value.empty()) throw Failure(Exit::usage, fmt::format("{}{}: a value is empty", flag, text));
  }
  return values;
}

void add_values(std::vector<Axis>& axes, const std::string& flag, const std::string& name,
                const std::vector<std::string>& values) {
  auto axis = std::find_if(axes.begin(), axes.end(), [&](const Axis& known) { return known.name == name; });
  if (axis == axes.end()) axis = axes.insert(axis, {name, {}});
  for (const std::string& value : values) {
    if (std::find(axis->values.begin(), axis->values.end(), value) != axis->values.end())
      throw Failure(Exit::usage, fmt::format("{} names {} twice", flag, value));
    axis->values.push_back(value);
  }
}

std::vector<std::vector<Setting>> combinations(const std::vector<Axis>& axes) {
  std::vector<std::vector<Setting>> all(1);
  for (const Axis& axis : axes) {
    std::vector<std::vector<Setting>> longer;
    for (const std::vector<Setting>& settings : all)
      for (const std::string& value : axis.values) {
        longer.push_back(settings);
        longer.back().emplace_back(axis.name, value);
      }
    all = std::move(longer);
  }
  return all;
}

std::string file_name(const std::vector<Setting>& settings) {
  constexpr size_t longest = 120;
  std::string whole, name;
  for (const auto& [key, value] : settings) whole += (whole.empty() ? "" : ",") + key + "=" + value;
  for (const char c : whole) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0 || std::string_view("._=,+-").find(c) != std::string::npos)
      name += c;
  }
  if (name == whole && name.size() <= longest) return name;
  size_t end = std::min(name.size(), longest);
  while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  name.resize(end);  // `end` is moved so that no code point is cut
  return fmt::format("{}-{:08x}", name, content_hash(whole) & 0xFFFFFFFFu);
}

}  // namespace vaec
