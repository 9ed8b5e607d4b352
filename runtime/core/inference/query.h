// Reads the text of a query, and the flags that belong to it, into plain indices.
#pragma once
#include <string>
#include <vector>

#include "runtime/core/inference/plan.h"

namespace core {

/// "c, z | x" asks for c and z given x; the part after the bar may be empty. `masks`: "x=FILE" says that x is
/// known in part. `by`: "z=q" names the player that gives z. Failure(usage) names the part that is not
/// understood.
Query parse_query(const Image& image, const std::string& text, const std::vector<std::string>& masks,
                  const std::vector<std::string>& by);

/// Failure(usage) if a target is known completely, or if `by` names a player for such a variable.
void check_sides(const Image& image, const Query& query, const std::string& text);

/// The variable in a flag's "NAME=...". Failure(usage) lists the variables if no variable has this name.
int variable_of_flag(const Image& image, const std::string& flag, const std::string& text,
                     const std::string& needed);
/// The variables that `--draw` names.
std::set<int> parse_drawn(const Image& image, const std::vector<std::string>& names);
std::map<int, int> parse_by(const Image& image, const std::vector<std::string>& texts);

}  // namespace core
