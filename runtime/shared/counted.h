// Writes a number together with the noun that it counts, for messages.
#pragma once
#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

/// "1 row", "2 rows". The plural of the noun is formed with s.
template <std::integral Number>
std::string counted(Number number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}
