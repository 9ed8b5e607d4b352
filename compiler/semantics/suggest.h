// Helps for names that the file does not declare.
#pragma once
#include <string>
#include <vector>

#include "compiler/base/report.h"

namespace semantics {

/// Adds as a help what `name` is called here if another tool of the field has it, else the nearest of
/// `candidates`, if one is near.
void suggest(base::Diagnostic& diagnostic, const std::string& name,
             const std::vector<std::string>& candidates);

/// The same where `words` are all that can stand here: names all of them after `heading` if none is near.
void suggest_among(base::Diagnostic& diagnostic, const std::string& name,
                   const std::vector<std::string>& words, const std::string& heading);

}  // namespace semantics
