#include "runtime/core/machine/memory_need.h"

#include <fmt/format.h>

#include "runtime/data/process_memory.h"
#include "runtime/shared/failure.h"

namespace core {

static std::string size_text(double bytes) {
  return bytes >= 1e8 ? fmt::format("{:.1f} GB", bytes / 1e9) : fmt::format("{:.1f} MB", bytes / 1e6);
}

void require_memory(const std::string& who, double bytes) {
  const auto all = static_cast<double>(data::memory_of_process());
  if (bytes <= all) return;
  throw Failure(Exit::bad_configuration, fmt::format("{} needs {} of memory; this process may have {}", who,
                                                     size_text(bytes), size_text(all)));
}

void require_memory(const Machine& machine, const std::string& who, double bytes) {
  if (!machine.device) require_memory(who, bytes);
}

}  // namespace core
