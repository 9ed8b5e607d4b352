#include "runtime/core/output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "runtime/failure.h"

namespace core {

static int first_cause = 0;

void flush_output() {
  const int earlier = std::ferror(stdout) != 0 || !std::cout ? errno : 0;
  errno = 0;
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.flush().good();
  if (!written && first_cause == 0) first_cause = errno != 0 ? errno : earlier != 0 ? earlier : EIO;
}

void require_output() {
  flush_output();
  if (first_cause != 0)
    throw Failure(Exit::cannot_write, fmt::format("cannot write the output: {}", std::strerror(first_cause)));
}

}  // namespace core
