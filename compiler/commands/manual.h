// Manual pages, generated from the tables of commands (runtime/shared/command_table.h).
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace vaec {

/// A page in roff: vaec(1) for the table of vaec, or vaec-model(1) for the table of executables.
std::string manual_page(const nlohmann::json& table, bool of_executables);

}  // namespace vaec
