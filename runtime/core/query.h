// The text of a query and the flags beside it, as plain indices.
#pragma once
#include <string>
#include <vector>

#include "runtime/core/plan.h"

namespace core {

/// "c, z | x": c and z given x; nothing need stand after the bar. `masks`: "x=FILE" says that x is known in
/// part, so that it may stand on both sides. `by`: "z=q", the player that gives z. Failure(usage) names what
/// is not understood, and a variable on both sides without a mask.
Query parse_query(const Image& image, const std::string& text, const std::vector<std::string>& masks,
                  const std::vector<std::string>& by);

/// By a flag's "NAME=..."; Failure(usage) lists the variables where there is none of the name.
int variable_of_flag(const Image& image, const std::string& flag, const std::string& text,
                     const std::string& needed);
std::map<int, int> parse_by(const Image& image, const std::vector<std::string>& texts);

}  // namespace core
