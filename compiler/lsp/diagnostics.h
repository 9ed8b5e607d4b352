// Diagnostics as editors show them. In: a document. Out: the `diagnostics` of
// textDocument/publishDiagnostics.
#pragma once
#include "compiler/lsp/document.h"

namespace lsp {

/// Of the document's own text; what is wrong in a file that it imports stands at the import.
nlohmann::json diagnostics_json(const Document& document);

/// Where a diagnostic stands in the document, for editors and for fixes.
base::Span place_in(const Document& document, const base::Diagnostic& diagnostic);

}  // namespace lsp
