// Keeps the standard streams of vaec and of executables open. If stdin, stdout or stderr is closed when a
// program starts, a file that it opens gets that stream's number. Messages would then be printed into that
// file.
#pragma once
#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <iostream>

/// Opens /dev/null for each standard stream that is closed. Call it before anything else is opened. After it,
/// writing to a stdout that was closed fails, and text for a stderr that was closed is lost.
inline void hold_standard_streams() {
  for (const int stream : {0, 1, 2})
    if (fcntl(stream, F_GETFD) == -1 && errno == EBADF) open("/dev/null", stream == 2 ? O_WRONLY : O_RDONLY);
}

/// Writes out what was printed so far. Returns 0, or the cause (an errno) if some of the text could not be
/// written.
inline int flush_standard_output() {
  // std::cout writes through stdout, which keeps the error of an earlier write.
  const int earlier = std::ferror(stdout) != 0 || !std::cout ? errno : 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.flush().good()) return 0;
  return errno != 0 ? errno : earlier != 0 ? earlier : EIO;
}
