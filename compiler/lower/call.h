// Runs a program and waits for it. In: the command and a file for what it says. Out: whether it could be
// started, its status, and its words; the file is gone again.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace lower {

struct Outcome {
  bool started = false;
  int status = 0;    // as waitpid gives it
  std::string said;  // stdout and stderr
};

Outcome call(const std::vector<std::string>& command, const std::filesystem::path& log);

}  // namespace lower
