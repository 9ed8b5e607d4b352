#include "runtime/core/ranks/transports.h"

#include <fmt/format.h>

#include "runtime/data/optional_library.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

struct Transport {
  const char *name, *library, *function, *packages;
};
constexpr Transport transports[] = {
    {"c10d", "libvaert_c10d.so", "vaert_c10d", "libtorch-dev and libgloo-dev"},
    {"mpi", "libvaert_mpi.so", "vaert_mpi", "libopenmpi-dev"},
};

}  // namespace

const vaert_ranks* open_transport(const std::string& name) {
  for (const Transport& transport : transports) {
    if (name != transport.name) continue;
    try {
      return data::function_of<vaert_ranks_function>(transport.library, transport.function)();
    } catch (const Failure& failure) {
      throw Failure(Exit::bad_configuration,
                    fmt::format("--ranks-transport {}: {}; vaec has it if {} were there when it was built",
                                name, failure.what(), transport.packages));
    }
  }
  throw Failure(Exit::usage, fmt::format("--ranks-transport {}: it must be c10d or mpi", name));
}

}  // namespace core
