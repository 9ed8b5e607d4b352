// How a user asks a training run to stop: Ctrl-C (SIGINT), SIGTERM, SIGHUP. The first asks for a checkpoint,
// the second of its kind ends the process as usual.
#pragma once

namespace core {

/// From now on; a request made before counts no longer. A process that was begun with SIGHUP ignored (nohup)
/// goes on ignoring it.
void listen_for_stop();

/// These signals do again what they did before: after training, nobody looks at stop_is_asked().
void end_listening();

bool stop_is_asked();

}  // namespace core
