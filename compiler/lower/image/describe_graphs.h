// The image's `graphs` (runtime/image.md): what executables export. It is the text of a separate JSON value,
// so that commands that do not export never parse it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/lower/image/image.h"

namespace lower {

std::string describe_graphs(const std::vector<std::optional<Programs::Graphs>>& conditionals);

}  // namespace lower
