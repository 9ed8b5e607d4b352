// Moving averages of the players' parameters, as commands on trained models use them (learning/step/average.h
// makes them). Programs of the image may read the averages beside the parameters. If a checkpoint has
// averages, commands load them in place of the parameters.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/core/execution/session.h"

namespace core {

/// Whether some program reads averages. Its buffer of the averages of player k has the index players + k.
bool reads_averages(const Image& image);

/// Loads the parameters that commands compute with: the averages if the checkpoint has any and `weights` is
/// not "last", else the trained parameters. Also loads the averages that programs read.
/// Failure(missing_input) if the checkpoint has no averages, but `weights` is "average" or a program reads
/// them, or if the checkpoint has lost its file of averages.
void load_checkpoint(Session& session, const std::filesystem::path& checkpoint,
                     const std::string& weights = "");

}  // namespace core
