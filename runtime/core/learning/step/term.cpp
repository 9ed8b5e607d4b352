#include "runtime/core/learning/step/term.h"

#include <fmt/format.h>

#include "runtime/shared/failure.h"

namespace core {

void refuse(const Image& image, const Term& term, int64_t step, const std::string& what) {
  const std::string whose =
      term.player < 0 ? "the " : "player " + image.players[static_cast<size_t>(term.player)].name + "'s ";
  throw Failure(Exit::diagnostics, fmt::format("step {}: {}term {} is {}", step, whose, term.name, what));
}

}  // namespace core
