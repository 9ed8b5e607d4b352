// The command line of `vaec sweep`.
#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "compiler/sweep/sweep.h"

namespace vaec {

class SweepCommand {
 public:
  /// Adds the command to `app`.
  explicit SweepCommand(CLI::App& app);
  bool parsed() const { return command_->parsed(); }
  Exit run();

 private:
  void add_flags(const std::string& group, const std::vector<std::pair<std::string, std::string>>& flags,
                 std::map<std::string, std::string>& values);
  void take_flags();

  CLI::App* command_;
  SweepRequest request_;
  std::vector<std::string> defines_;
  std::map<std::string, std::vector<std::string>> training_;  // by key, as written
  std::map<std::string, std::string> measured_, machine_;
};

}  // namespace vaec
