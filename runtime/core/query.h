// The text of a query and the flags beside it, as plain indices.
#pragma once
#include <string>
#include <vector>

#include "runtime/core/plan.h"

namespace core {

/// "c, z | x": c and z given x; nothing need stand after the bar. `masks`: "x=FILE" says that x is known in
/// part. `by`: "z=q", the player that gives z. Failure(usage) names what is not understood.
Query parse_query(const Image& image, const std::string& text, const std::vector<std::string>& masks,
                  const std::vector<std::string>& by);

/// Failure(usage) where a variable that is wholly known is asked for, or a player named that should give it.
void check_sides(const Image& image, const Query& query, const std::string& text);

/// By a flag's "NAME=..."; Failure(usage) lists the variables where there is none of the name.
int variable_of_flag(const Image& image, const std::string& flag, const std::string& text,
                     const std::string& needed);
/// The variables that `--draw` names.
std::set<int> parse_drawn(const Image& image, const std::vector<std::string>& names);
std::map<int, int> parse_by(const Image& image, const std::vector<std::string>& texts);

}  // namespace core
