// Where a name is declared and used, in this program and in the other programs of the workspace. In: a
// document and an offset. Out: places in files.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/lsp/document.h"

namespace lsp {

struct Location {
  std::string uri;
  nlohmann::json range;
};

/// The documents that are open in the editor, and the folders of its workspace.
struct Workspace {
  std::map<std::string, Document> documents;  // by URI
  std::vector<std::string> folders;

  const Document* find_path(const std::string& path) const;
  /// The URI that the editor uses for the path.
  std::string uri_for(const std::string& path) const;
};

/// The declaration of the name at the offset, or the imported file that is named there.
std::optional<Location> definition(const Workspace& workspace, const Document& document, uint32_t offset);

/// Every place that names the same declaration, in the document and the files that it imports. If the
/// declaration is in a file that can be imported, also the places in the other programs of the workspace.
std::vector<Location> references(const Workspace& workspace, const Document& document, uint32_t offset,
                                 bool with_declaration);

/// The places as spans, by path. Empty if the name is not one of the user's.
using Places = std::map<std::string, std::vector<base::Span>>;
Places places_of(const Workspace& workspace, const Document& document, const Symbol& symbol);

}  // namespace lsp
