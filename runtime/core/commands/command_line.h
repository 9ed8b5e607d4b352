// The command line of an executable. In: its image and the arguments. Out: the exit code. All messages go to
// stdout and stderr.
#pragma once
#include "runtime/abi.h"

namespace core {

int run_command_line(const vae_image& image, int argc, char** argv);

}  // namespace core
