// Fixes that the help of a diagnostic names. In: a document and a range. Out: CodeActions, each tried: with
// it the diagnostic is gone and no other error has come.
#pragma once
#include "compiler/lsp/document.h"

namespace lsp {

nlohmann::json code_actions(const Document& document, base::Span range);

}  // namespace lsp
