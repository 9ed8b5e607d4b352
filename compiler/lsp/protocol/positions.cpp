#include "compiler/lsp/protocol/positions.h"

#include <algorithm>

#include "runtime/shared/printable.h"

namespace lsp {
namespace {

/// The width of the code point that begins here, in bytes and in UTF-16 units. Bytes that are not UTF-8 count
/// as one of each.
std::pair<size_t, size_t> first_width(std::string_view text) {
  const CodePoint point = first_code_point(text);
  if (point.bytes == 0) return {1, 1};
  return {point.bytes, point.value > 0xFFFF ? 2 : 1};
}

}  // namespace

uint32_t offset_of(const base::SourceFile& file, Position position) {
  if (position.line >= file.line_starts.size()) return static_cast<uint32_t>(file.text.size());
  const uint32_t start = file.line_starts[position.line];
  std::string_view rest = std::string_view(file.text).substr(start);
  rest = rest.substr(0, std::min(rest.find_first_of("\r\n"), rest.size()));
  uint32_t offset = start;
  for (size_t units = 0; units < position.character && !rest.empty();) {
    const auto [bytes, width] = first_width(rest);
    if (units + width > position.character) break;  // the position is inside a surrogate pair
    units += width;
    offset += static_cast<uint32_t>(bytes);
    rest.remove_prefix(bytes);
  }
  return offset;
}

Position position_of(const base::SourceFile& file, uint32_t offset) {
  offset = std::min(offset, static_cast<uint32_t>(file.text.size()));
  const auto after = std::upper_bound(file.line_starts.begin(), file.line_starts.end(), offset);
  const uint32_t start = *(after - 1);
  Position position{static_cast<size_t>(after - file.line_starts.begin()) - 1, 0};
  std::string_view rest = std::string_view(file.text).substr(start, offset - start);
  while (!rest.empty()) {
    const auto [bytes, width] = first_width(rest);
    position.character += width;
    rest.remove_prefix(std::min(bytes, rest.size()));
  }
  return position;
}

nlohmann::json to_json(Position position) {
  return {{"line", position.line}, {"character", position.character}};
}

Position position_in(const nlohmann::json& value) {
  return {value.at("line").get<size_t>(), value.at("character").get<size_t>()};
}

nlohmann::json range_json(const base::SourceFile& file, base::Span span) {
  return {{"start", to_json(position_of(file, span.begin))}, {"end", to_json(position_of(file, span.end))}};
}

}  // namespace lsp
