// What a sweep varies: lists of values from the command line, and all their combinations.
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

/// Splits the text at commas outside of brackets and strings, and trims the parts. Throws Failure(usage) for
/// an empty value; its message begins with `flag` and the text.
std::vector<std::string> split_values(const std::string& flag, const std::string& text);

/// Adds the values to the axis with that name, or to a new one. Throws Failure(usage) for a value that the
/// axis already has.
void add_values(std::vector<Axis>& axes, const std::string& flag, const std::string& name,
                const std::vector<std::string>& values);

using Setting = std::pair<std::string, std::string>;  // name, value
/// All combinations; the last axis varies fastest. Without axes, there is one empty combination.
std::vector<std::vector<Setting>> combinations(const std::vector<Axis>& axes);

/// The settings as a file name: "each=10,code=32". Unusual characters are left out; a hash of the settings
/// then keeps names different.
std::string file_name(const std::vector<Setting>& settings);

}  // namespace vaec
