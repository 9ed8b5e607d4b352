// Checks of single flags of the commands.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>

#include "runtime/schema/setting_bounds.h"

namespace core {

/// A whole number from `least` to `most`. CLI11's own checks would name a range up to the largest double.
CLI::Validator at_least(int64_t least, int64_t most = bounds::counts.most);

/// A path that is not empty: "$OUT" may be an empty word.
CLI::Validator not_empty();

/// A flag that may be repeated and takes one word each time. The next word does not belong to it.
inline CLI::Option* one_at_a_time(CLI::Option* option) { return option->allow_extra_args(false); }

}  // namespace core
