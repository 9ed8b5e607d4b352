// A run as one page of HTML that opens offline: how its objective changed over the steps, on training and
// held-out rows; its last samples; speed and machine; program and settings. In: the run directory with
// config.json, env.json, metrics.jsonl, evaluation.json and samples/. Out: the page's text. Failure(bad_data)
// if one of these files is malformed.
#pragma once
#include <filesystem>
#include <string>

namespace core {

/// `running`: whether the run is still going on; the page then reloads itself.
std::string report_page(const std::filesystem::path& run, bool running = false);

}  // namespace core
