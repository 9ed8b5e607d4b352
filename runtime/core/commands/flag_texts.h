// What the help says of flags.
#pragma once
#include <map>
#include <string>

namespace core {

/// What a flag takes, as its help shows it; one that is not here takes nothing.
const std::map<std::string, std::string>& values_of_flags();

}  // namespace core
