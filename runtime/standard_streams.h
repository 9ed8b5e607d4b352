// The standard streams of vaec and of executables. A program that is started with stdin, stdout or stderr
// closed would give their numbers to the files that it opens, and print into them.
#pragma once
#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <iostream>

/// Before anything is opened. Writing to a stdout that was closed fails from then on; what goes to a stderr
/// that was closed is lost.
inline void hold_standard_streams() {
  for (const int stream : {0, 1, 2})
    if (fcntl(stream, F_GETFD) == -1 && errno == EBADF) open("/dev/null", stream == 2 ? O_WRONLY : O_RDONLY);
}

/// Hands on what is printed so far; 0, or the cause (an errno) where something that was printed is not
/// written.
inline int flush_standard_output() {
  // std::cout writes through stdout, which keeps that an earlier write has failed.
  const int earlier = std::ferror(stdout) != 0 || !std::cout ? errno : 0;
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.flush().good()) return 0;
  return errno != 0 ? errno : earlier != 0 ? earlier : EIO;
}
