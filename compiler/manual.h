// Manual pages, made from the tables of commands (runtime/command_table.h).
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace vaec {

/// In roff: the page vaec(1), of `table`; or vaec-model(1), of the table of executables.
std::string manual_page(const nlohmann::json& table, bool of_executables);

}  // namespace vaec
