// One line of help for each word of the language. In: a function, a key of `learn`, a method, a domain, a
// property of a family. Out: a sentence; empty for what is no such word.
#pragma once
#include <string>
#include <string_view>

#include "compiler/lsp/names.h"

namespace lsp {

std::string_view description(SymbolKind kind, std::string_view name);

/// `dense(h, n, bias = ..., init = ...)`: arguments that may be left out are shown with `=`.
std::string signature_text(const std::string& function);

}  // namespace lsp
