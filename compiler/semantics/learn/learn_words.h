// The words in learn blocks, for editors.
#pragma once
#include <string>
#include <vector>

namespace semantics {

std::vector<std::string> method_names();
/// The keys that `method` takes; those of all methods if there is no such method.
std::vector<std::string> keys_of_method(const std::string& method);

}  // namespace semantics
