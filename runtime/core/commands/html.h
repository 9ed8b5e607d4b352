// Pieces of the pages that reports are made of: they open offline, with pictures and plots inside.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace core {

std::string html_escaped(const std::string& text);

/// The page up to its first heading, and the heading. It reloads itself after so many seconds; 0: never.
std::string html_beginning(const std::string& title, int64_t reload_seconds = 0);

/// A PNG file's bytes as an image of the page.
std::string html_picture(const std::string& description, const std::vector<uint8_t>& png);

/// The first row is the heading.
std::string html_table(const std::vector<std::vector<std::string>>& rows);

/// How often each class (a row) was taken for each (a column); colours are shares of the row.
std::string html_heat_map(const std::string& title, const std::vector<std::string>& names,
                          const std::vector<std::vector<int64_t>>& counts);

}  // namespace core
