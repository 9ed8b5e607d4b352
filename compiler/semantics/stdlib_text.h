// The standard library, embedded. In: the NAME of `import NAME`. Out: the text of stdlib/NAME.vae.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semantics {

/// None if there is no such file.
std::optional<std::string_view> stdlib_text(std::string_view name);
std::vector<std::string> stdlib_names();  // for suggestions

}  // namespace semantics
