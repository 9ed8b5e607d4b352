// Runs a program and waits for it. In: the command, and a file for its output. Out: whether it could be
// started, its status, and its output. The file is removed again.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace lower {

struct Outcome {
  bool started = false;
  int status = 0;    // as from waitpid
  std::string said;  // stdout and stderr
};

Outcome call(const std::vector<std::string>& command, const std::filesystem::path& log);

}  // namespace lower
