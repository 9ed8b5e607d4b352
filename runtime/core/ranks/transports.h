// The libraries that connect ranks, which are opened on demand. In: c10d or mpi. Out: the library's table.
#pragma once
#include <string>

#include "runtime/ranks/ranks_api.h"

namespace core {

/// Failure(usage) if there is no such transport, Failure(bad_configuration) if vaec was built without it.
const vaert_ranks* open_transport(const std::string& name);

}  // namespace core
