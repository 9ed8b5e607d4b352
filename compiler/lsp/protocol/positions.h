// Places as in the Language Server Protocol: lines from 0, and UTF-16 units from 0 within a line. In: a
// file's text (UTF-8) with its line starts. Out: byte offsets, and the other way round.
#pragma once
#include <nlohmann/json.hpp>
#include <string_view>

#include "compiler/base/source.h"

namespace lsp {

struct Position {
  size_t line = 0;
  size_t character = 0;
};

/// A position after the end of its line, or of the file, becomes that end.
uint32_t offset_of(const base::SourceFile& file, Position position);
Position position_of(const base::SourceFile& file, uint32_t offset);

nlohmann::json to_json(Position position);
/// Throws nlohmann::json::exception if the value is not a position.
Position position_in(const nlohmann::json& value);
nlohmann::json range_json(const base::SourceFile& file, base::Span span);

}  // namespace lsp
