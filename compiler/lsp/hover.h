// What an editor shows of the name under the pointer. In: a document and an offset into it. Out: Markdown and
// the name's place; none where nothing is named.
#pragma once
#include <optional>
#include <string>

#include "compiler/lsp/document.h"

namespace lsp {

struct Hover {
  base::Span span;
  std::string text;
};

std::optional<Hover> hover(const Document& document, uint32_t offset);

}  // namespace lsp
