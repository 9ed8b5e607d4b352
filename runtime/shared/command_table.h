// The commands and flags of a command line as data, for completions and manual pages: {"name", "help",
// "footer", "flags": [{"names", "value", "help", "environment"}], "arguments": [{"name", "help"}],
// "commands": [...]}.
#pragma once
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// A command with its flags, arguments and subcommands. A flag's `value` is empty if the flag takes no value.
inline nlohmann::json command_table(const CLI::App& app) {
  nlohmann::json table = {{"name", app.get_name()},
                          {"help", app.get_description()},
                          {"footer", app.get_footer()},
                          {"flags", nlohmann::json::array()},
                          {"arguments", nlohmann::json::array()},
                          {"commands", nlohmann::json::array()}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      table["arguments"].push_back(
          {{"name", option->get_single_name()}, {"help", option->get_description()}});
      continue;
    }
    std::vector<std::string> names;
    for (const std::string& letter : option->get_snames()) names.push_back("-" + letter);
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    std::string value = option->get_option_text();
    if (value.empty() && option->get_items_expected_max() > 0) value = "VALUE";
    table["flags"].push_back({{"names", names},
                              {"value", value},
                              {"help", option->get_description()},
                              {"environment", option->get_envname()}});
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    table["commands"].push_back(command_table(*command));
  return table;
}
