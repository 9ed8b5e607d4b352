// `vaec data get NAME [--to DIR]`: the runtime fetches, by the code by which executables do.
#pragma once
#include <string>

#include "compiler/failure.h"

namespace vaec {

/// `to` may be empty. What went wrong is on stderr already.
Exit get_data(const std::string& name, const std::string& to);

}  // namespace vaec
