// Counts the work of training steps on a GPU without one, and estimates their time from a card's published
// peaks. In: an image with PTX, settings. Out: a JSON object (docs/executables.md), and its text.
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/core/commands/commands.h"
#include "runtime/core/learning/settings/settings.h"

namespace core {

/// `request.count` names the card. All numbers are means over the steps.
nlohmann::json count_steps(const Image& image, const BenchRequest& request, const Settings& settings);

void print_count(const nlohmann::json& count);

}  // namespace core
