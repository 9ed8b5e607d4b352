// What the user may write at a place. In: a document in any state and an offset. Out: CompletionItems, from
// which the editor selects those that match the typed text.
#pragma once
#include "compiler/lsp/document.h"

namespace lsp {

nlohmann::json completions(const Document& document, uint32_t offset);

}  // namespace lsp
