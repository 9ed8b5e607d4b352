// Fixes that the help of a diagnostic names. In: a document and a range. Out: CodeActions. Each has been
// tried: after it, the diagnostic is gone and there is no new error.
#pragma once
#include "compiler/lsp/document.h"

namespace lsp {

nlohmann::json code_actions(const Document& document, base::Span range);

}  // namespace lsp
