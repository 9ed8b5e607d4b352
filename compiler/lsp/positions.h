// Places as the Language Server Protocol gives them: lines from 0, and within a line units of UTF-16 from 0.
// In: a file's text (UTF-8) with its line starts. Out: byte offsets, and back.
#pragma once
#include <nlohmann/json.hpp>
#include <string_view>

#include "compiler/base/source.h"

namespace lsp {

struct Position {
  size_t line = 0;
  size_t character = 0;
};

/// What lies past the end of its line, or of the file, is moved to that end.
uint32_t offset_of(const base::SourceFile& file, Position position);
Position position_of(const base::SourceFile& file, uint32_t offset);

nlohmann::json to_json(Position position);
/// Throws nlohmann::json::exception where it is no position.
Position position_in(const nlohmann::json& value);
nlohmann::json range_json(const base::SourceFile& file, base::Span span);

}  // namespace lsp
