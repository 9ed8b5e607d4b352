// What an editor shows for the name under the pointer. In: a document and an offset into it. Out: Markdown
// and the place of the name; none if there is no name.
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
