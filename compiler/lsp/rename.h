// Renames a declaration and all its uses. In: a document, an offset, the new name. Out: the edits of each
// file, or why there are none. The renamed programs have been read again, to check that each name still
// refers to the same declaration.
#pragma once
#include <string>
#include <variant>

#include "compiler/lsp/references.h"

namespace lsp {

struct Refusal {
  std::string cause;
};

/// The place of the name that would be renamed.
std::variant<base::Span, Refusal> prepare_rename(const Document& document, uint32_t offset);

/// Returns a WorkspaceEdit.
std::variant<nlohmann::json, Refusal> rename(const Workspace& workspace, const Document& document,
                                             uint32_t offset, const std::string& name);

}  // namespace lsp
