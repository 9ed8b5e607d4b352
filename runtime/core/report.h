// A run as one page of HTML that opens offline: its settings, each player's utility over the steps, its last
// picture. In: the run directory, with config.json, metrics.jsonl and samples/. Out: the page's text.
// Failure(bad_data) where one of them is malformed.
#pragma once
#include <filesystem>
#include <string>

namespace core {

std::string report_page(const std::filesystem::path& run);

}  // namespace core
