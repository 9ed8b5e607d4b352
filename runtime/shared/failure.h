// An error that ends vaec or an executable: an exit code, and one line for stderr. Diagnostics of a .vae file
// are not failures.
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
  lost_rank = 75,
  bad_configuration = 78,
  interrupted = 130,
};

struct Failure : std::runtime_error {
  Failure(Exit code, const std::string& cause) : std::runtime_error(cause), exit_code(code) {}
  Exit exit_code;
};
