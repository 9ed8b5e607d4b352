// Checks of single flags of the commands.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>

namespace core {

/// A whole number that is at least `least` and not too large to count with. CLI11's own checks would name a
/// range up to the largest double.
CLI::Validator at_least(int64_t least);

/// A path that is not empty: "$OUT" may be an empty word.
CLI::Validator not_empty();

/// A flag that may be repeated and takes one word each time. The next word does not belong to it.
inline CLI::Option* one_at_a_time(CLI::Option* option) { return option->allow_extra_args(false); }

}  // namespace core
