// Converts between URIs such as `file:///home/me/a%20b.vae` and paths. A document of another scheme
// (`untitled:`) keeps its URI as name.
#pragma once
#include <string>
#include <string_view>

namespace lsp {

/// The path of a `file:` URI; any other URI unchanged.
std::string path_of(std::string_view uri);
/// The URI of a path, which is made absolute.
std::string uri_of(const std::string& path);

}  // namespace lsp
