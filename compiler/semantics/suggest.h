// Help for names that the file does not declare.
#pragma once
#include <string>
#include <vector>

#include "compiler/base/report.h"

namespace semantics {

/// Adds a help. If `name` belongs to another tool of the field, it says how the same thing is written here.
/// Otherwise it names the nearest of `candidates`, if one is near.
void suggest(base::Diagnostic& diagnostic, const std::string& name,
             const std::vector<std::string>& candidates);

/// The same if only `words` are allowed here. If none is near, it lists all of them after `heading`.
void suggest_among(base::Diagnostic& diagnostic, const std::string& name,
                   const std::vector<std::string>& words, const std::string& heading);

}  // namespace semantics
