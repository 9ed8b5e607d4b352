// Texts of the help about flags.
#pragma once
#include <map>
#include <string>

namespace core {

/// What each flag takes, as the help shows it. A flag that is not listed takes nothing.
const std::map<std::string, std::string>& values_of_flags();

}  // namespace core
