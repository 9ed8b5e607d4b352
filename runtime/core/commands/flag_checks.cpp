#include "runtime/core/commands/flag_checks.h"

#include <fmt/format.h>

#include <string>

namespace core {

CLI::Validator at_least(int64_t least, int64_t most) {
  return CLI::Validator(
      [least, most](std::string& text) {
        const std::string digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
        const bool whole = !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
        int64_t value = 0;
        const bool counts = CLI::detail::lexical_cast(text, value);
        if (!whole || text.starts_with('-') || (counts && value < least))
          return fmt::format("{} is no whole number of at least {}", text, least);
        if (!counts || value > most) return fmt::format("{} is more than {}", text, most);
        return std::string();
      },
      "");
}

CLI::Validator not_empty() {
  return CLI::Validator(
      [](std::string& text) { return std::string(text.empty() ? "the path is empty" : ""); }, "");
}

}  // namespace core
