// `vaec doctor`: what building and running needs, and whether it is there.
#pragma once
#include <ostream>

namespace vaec {

/// One line for each thing; false if something needed is missing.
bool doctor(std::ostream& out);

}  // namespace vaec
