// Completions for shells, generated from the tables of commands (runtime/shared/command_table.h).
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace vaec {

/// The completions for `shell`: bash, zsh or fish. `program` is the table of executables, for `vaec run
/// FILE`.
std::string completions(const std::string& shell, const nlohmann::json& vaec, const nlohmann::json& program);

}  // namespace vaec
