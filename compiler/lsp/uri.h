// `file:///home/me/a%20b.vae` and paths. A document of another scheme (`untitled:`) keeps its address as a
// name.
#pragma once
#include <string>
#include <string_view>

namespace lsp {

/// The path of a `file:` address; any other address as it is.
std::string path_of(std::string_view uri);
/// The address of a path, which is made absolute.
std::string uri_of(const std::string& path);

}  // namespace lsp
