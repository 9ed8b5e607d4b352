#include "runtime/core/run/output.h"

#include <fmt/format.h>

#include <cstring>

#include "runtime/shared/failure.h"
#include "runtime/shared/standard_streams.h"

namespace core {

static int first_cause = 0;

void flush_output() {
  const int cause = flush_standard_output();
  if (first_cause == 0) first_cause = cause;
}

void require_output() {
  flush_output();
  if (first_cause != 0)
    throw Failure(Exit::cannot_write, fmt::format("cannot write the output: {}", std::strerror(first_cause)));
}

}  // namespace core
