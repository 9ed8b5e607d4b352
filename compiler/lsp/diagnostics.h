// Diagnostics as editors show them. In: a document. Out: the `diagnostics` of
// textDocument/publishDiagnostics.
#pragma once
#include "compiler/lsp/document.h"

namespace lsp {

/// The diagnostics of the document. An error in a file that it imports is shown at the import.
nlohmann::json diagnostics_json(const Document& document);

/// The place of a diagnostic in the document, for editors and for fixes.
base::Span place_in(const Document& document, const base::Diagnostic& diagnostic);

}  // namespace lsp
