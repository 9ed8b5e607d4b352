// A run as one page of HTML that opens offline: what it learned by over the steps, on training and held-out
// rows, its last samples, speed and machine, program and settings. In: the run directory, with config.json,
// env.json, metrics.jsonl, evaluation.json and samples/. Out: the page's text.
// Failure(bad_data) where one of them is malformed.
#pragma once
#include <filesystem>
#include <string>

namespace core {

/// Of a run that is still `running`, the page reloads itself.
std::string report_page(const std::filesystem::path& run, bool running = false);

}  // namespace core
