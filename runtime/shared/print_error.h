// Text for stderr.
#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

/// Prints to stderr. What cannot be written there is lost: nobody reads it, and the work goes on. (fmt::print
/// throws then, also while a failure is reported.)
template <class... Values>
void print_error(fmt::format_string<Values...> text, Values&&... values) {
  const std::string line = fmt::format(text, std::forward<Values>(values)...);
  std::fwrite(line.data(), 1, line.size(), stderr);
}
