// The families that passed their numeric check. They are cached (base/cache.h), so that the next compilation
// does not check them again. In: a family's template, which is everything that the check reads. Only a result
// of the same compiler for an equal template counts.
#pragma once
#include <string>

#include "compiler/semantics/families/family_template.h"

namespace semantics {

/// All that the check depends on, as text: the version of the check, then the template.
std::string content_of(const FamilyTemplate& t, const Domain& domain);
bool is_cached(const std::string& content);
void keep_checked(const std::string& content);

}  // namespace semantics
