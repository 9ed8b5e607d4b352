// A program that is started with stdin, stdout or stderr closed would give their numbers to the files that it
// opens, and print into them.
#pragma once
#include <fcntl.h>

#include <cerrno>

/// Before anything is opened. Writing to a stdout that was closed fails from then on; what goes to a stderr
/// that was closed is lost.
inline void hold_standard_streams() {
  for (const int stream : {0, 1, 2})
    if (fcntl(stream, F_GETFD) == -1 && errno == EBADF) open("/dev/null", stream == 2 ? O_WRONLY : O_RDONLY);
}
