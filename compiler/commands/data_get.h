// `vaec data get NAME [--to DIR]`: the runtime fetches the data with the same code as executables do.
#pragma once
#include <string>

#include "runtime/shared/failure.h"

namespace vaec {

/// `to` may be empty. Errors have already been printed on stderr.
Exit get_data(const std::string& name, const std::string& to);

}  // namespace vaec
