// How a user asks a training run to stop: Ctrl-C (SIGINT), SIGTERM, SIGHUP; under Slurm also SIGUSR1. The
// first signal asks for a checkpoint. The second one of the same kind ends the process as usual.
#pragma once

namespace core {

/// Begins to listen for the signals, and forgets earlier requests. If the process was started with SIGHUP
/// ignored (nohup), it still ignores SIGHUP.
void listen_for_stop();

/// Restores what the signals did before, because nobody looks at stop_is_asked() after the training.
void end_listening();

bool stop_is_asked();

}  // namespace core
