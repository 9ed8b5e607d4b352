// Parts of the HTML pages of reports. The pages open offline, because they contain their pictures and plots.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace core {

std::string html_escaped(const std::string& text);

/// The page up to and including its first heading. The page reloads itself after `reload_seconds`; 0: never.
std::string html_beginning(const std::string& title, int64_t reload_seconds = 0);

/// The bytes of a PNG file, as an image in the page.
std::string html_picture(const std::string& description, const std::vector<uint8_t>& png);

/// The first row is the heading.
std::string html_table(const std::vector<std::vector<std::string>>& rows);

/// How often each class (a row) was taken for each class (a column). Colours show shares of the row.
std::string html_heat_map(const std::string& title, const std::vector<std::string>& names,
                          const std::vector<std::vector<int64_t>>& counts);

}  // namespace core
