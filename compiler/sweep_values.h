// What a sweep varies: lists of values on the command line, and all combinations of them.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace vaec {

/// Something that a sweep varies, and its values as the user wrote them.
struct Axis {
  std::string name;
  std::vector<std::string> values;
};

/// Cut at the commas that stand in no bracket and no string; ends are trimmed. Failure(usage), which begins
/// with `flag` and the text, for an empty value.
std::vector<std::string> split_values(const std::string& flag, const std::string& text);

/// Adds the values to the axis of that name, or a new one. Failure(usage) for a value that is there already.
void add_values(std::vector<Axis>& axes, const std::string& flag, const std::string& name,
                const std::vector<std::string>& values);

using Setting = std::pair<std::string, std::string>;  // name, value
/// The last axis varies fastest. No axes: one empty combination.
std::vector<std::vector<Setting>> combinations(const std::vector<Axis>& axes);

/// The settings as the name of a file: "each=10,code=32". Other characters than those of common names are
/// left out, and a hash of the settings then tells names apart.
std::string file_name(const std::vector<Setting>& settings);

}  // namespace vaec
