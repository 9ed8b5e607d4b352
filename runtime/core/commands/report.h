// A run as one page of HTML that opens offline: its settings, each player's utility over the steps, its last
// picture. In: the run directory, with config.json, metrics.jsonl and samples/. Out: the page's text.
// Failure(bad_data) where one of them is malformed.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/core/commands/html.h"

namespace core {

/// Each player's utility in nats a row, at the steps of the run's record.
std::vector<PlotLine> read_utilities(const std::filesystem::path& run);

std::string report_page(const std::filesystem::path& run);

}  // namespace core
