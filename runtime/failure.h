// An error in a running executable, with the exit code that it ends with. Any part of the runtime may throw
// it; the command line prints it as one line on stderr.
#pragma once
#include <stdexcept>
#include <string>

enum class Exit : int {
  ok = 0,
  diagnostics = 1,
  usage = 64,
  bad_data = 65,
  missing_input = 66,
  internal = 70,
  cannot_write = 73,
  bad_configuration = 78,
  interrupted = 130,
};

struct Failure : std::runtime_error {
  Failure(Exit code, const std::string& cause) : std::runtime_error(cause), exit_code(code) {}
  Exit exit_code;
};
