// What may be written at a place. In: a document in any state and an offset. Out: CompletionItems; the editor
// picks those that fit what has been typed.
#pragma once
#include "compiler/lsp/document.h"

namespace lsp {

nlohmann::json completions(const Document& document, uint32_t offset);

}  // namespace lsp
