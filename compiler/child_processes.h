// Chains of commands, several at a time. A command of a chain is known when the one before it has ended.
// Commands read nothing and write into files. Ctrl-C (SIGINT), SIGTERM and SIGHUP ask all of them to end, the
// same signal again ends them; they end with this process too.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vaec {

struct Command {
  std::vector<std::string> words;
  std::filesystem::path out, err;  // replaced, appended to
};

struct Ended {
  int code = 0;
  int signal = 0;  // that killed it; 0: it exited with `code`
};

/// The first command (`previous` is null) or the next one; none where the chain is over.
using Chain = std::function<std::optional<Command>(const Ended* previous)>;

/// False if the user stopped it: then no command was begun after that. Failure(cannot_write) where a file of
/// a command cannot be opened.
bool run_chains(const std::vector<Chain>& chains, size_t at_once);

}  // namespace vaec
