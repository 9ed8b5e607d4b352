// One line of help for each word of the language: a function, a key of `learn`, a method, a domain, or a
// property of a family. Out: a sentence; empty if there is no such word.
#pragma once
#include <string>
#include <string_view>

#include "compiler/lsp/names/names.h"

namespace lsp {

std::string_view description(SymbolKind kind, std::string_view name);

/// `dense(h, n, bias = ..., init = ...)`: optional arguments are shown with `=`.
std::string signature_text(const std::string& function);

}  // namespace lsp
