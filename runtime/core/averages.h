// Moving averages of parameters (learning/average.h makes them) where trained models are used: beside those
// of the players, if programs of the image read them, and in place of them, if a checkpoint has them.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/core/session.h"

namespace core {

/// Whether some program reads averages. Then `Parameters` has those of player k as `of(players + k)`.
bool reads_averages(const Image& image);

/// Loads what commands compute with: the averages of a checkpoint's parameters if it has any, unless
/// `weights` is "last"; and the averages that programs read. Failure(missing_input) where it has none but
/// must.
void load_checkpoint(Session& session, const std::filesystem::path& checkpoint,
                     const std::string& weights = "");

}  // namespace core
