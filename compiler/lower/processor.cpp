#include "compiler/lower/processor.h"

#include <fmt/format.h>

#include <llvm/Config/llvm-config.h>

#include "compiler/lower/host.h"

namespace lower {

std::string describe_processor() {
  return fmt::format("{}: {}, {} floats a vector (LLVM {})", host().tune, host().cpu, host().lanes,
                     LLVM_VERSION_STRING);
}

}  // namespace lower
