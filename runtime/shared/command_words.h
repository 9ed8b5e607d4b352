// The messages about a command or a flag that does not exist, and `help` as a word of the command line.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/shared/nearest_name.h"

/// "there is no flag --bath (did you mean --batch?)". If the flag was written as `--bath=5`, the value is
/// left out.
inline std::string no_such_flag(const CLI::App& command, const std::string& written) {
  const std::string flag = written.substr(0, written.find('='));
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  const auto near = nearest_name(flag, flags);
  return fmt::format("there is no flag {}", flag) + (near ? fmt::format(" (did you mean {}?)", *near) : "");
}

/// "there is no command trian; did you mean train?". If no name is similar, the message lists the commands.
inline std::string no_such_command(const CLI::App& app, const std::string& written) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::string said = written.empty() ? "a command is needed" : "there is no command " + written;
  if (const auto near = nearest_name(written, names)) return fmt::format("{}; did you mean {}?", said, *near);
  return fmt::format("{}; the commands are {}", said, fmt::join(names, ", "));
}

/// The words of a command line, with `vaec help build` rewritten as `vaec build --help`.
inline std::vector<char*> with_help_as_flag(int count, char** words) {
  static char flag[] = "--help";
  std::vector<char*> result(words, words + count);
  if (count < 2 || std::string_view(words[1]) != "help") return result;
  result.erase(result.begin() + 1);
  result.push_back(flag);
  return result;
}
