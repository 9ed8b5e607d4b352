// Completions for shells, made from the tables of commands (runtime/command_table.h).
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace vaec {

/// The text for `shell`: bash, zsh or fish. `program` is the table of executables, which `vaec run FILE`
/// runs.
std::string completions(const std::string& shell, const nlohmann::json& vaec, const nlohmann::json& program);

}  // namespace vaec
