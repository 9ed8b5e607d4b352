// Chains of commands, several at a time. The next command of a chain is decided when the one before has
// ended. Commands read no input and write into files. Ctrl-C (SIGINT), SIGTERM and SIGHUP are passed on to
// all commands, which then stop; the same signal a second time ends them at once. They also end when this
// process ends.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vaec {

struct Command {
  std::vector<std::string> words;
  std::filesystem::path out, err;  // `out` is replaced, `err` is appended to
};

struct Ended {
  int code = 0;
  int signal = 0;  // the signal that killed it; 0: it exited with `code`
};

/// Gives the first command (`previous` is null) or the next one. None at the end of the chain.
using Chain = std::function<std::optional<Command>(const Ended* previous)>;

/// Returns false if the user stopped it; no command is started after that. Throws Failure(cannot_write) if a
/// file of a command cannot be opened.
bool run_chains(const std::vector<Chain>& chains, size_t at_once);

}  // namespace vaec
