// `vaec doctor`: checks whether everything is there that building and running need.
#pragma once
#include <ostream>

namespace vaec {

/// Prints one line for each thing. Returns false if something necessary is missing.
bool doctor(std::ostream& out);

}  // namespace vaec
