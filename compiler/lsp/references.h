// Where a name is declared and used, in this program and in the others of the workspace. In: a document and
// an offset. Out: places in files.
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

/// The documents that the editor has open, and the folders that it works in.
struct Workspace {
  std::map<std::string, Document> documents;  // by address
  std::vector<std::string> folders;

  const Document* find_path(const std::string& path) const;
  /// As the editor calls it.
  std::string uri_for(const std::string& path) const;
};

/// The declaration of what is named there, or the file that is imported there.
std::optional<Location> definition(const Workspace& workspace, const Document& document, uint32_t offset);

/// Every place of the declaration's name, in the document and the files that it imports, and, if a file that
/// can be imported declares it, in the programs of the workspace.
std::vector<Location> references(const Workspace& workspace, const Document& document, uint32_t offset,
                                 bool with_declaration);

/// The places as spans, by path. Empty where nothing of the user's is named.
using Places = std::map<std::string, std::vector<base::Span>>;
Places places_of(const Workspace& workspace, const Document& document, const Symbol& symbol);

}  // namespace lsp
