// Families that passed their numeric check, cached (base/cache.h) so that the next compilation need not
// check them again. In: a family's template, the whole of what the check computes with. Only a verdict of the
// same compiler over an equal template counts.
#pragma once
#include <string>

#include "compiler/semantics/family_template.h"

namespace semantics {

/// All that the check depends on, as text: the check's own version, then the template.
std::string content_of(const FamilyTemplate& t, const Domain& domain);
bool is_cached(const std::string& content);
void keep_checked(const std::string& content);

}  // namespace semantics
