#include "compiler/lower/processor.h"

#include <fmt/format.h>

#include <llvm/Config/llvm-config.h>

#include "compiler/lower/host.h"

namespace lower {

const std::map<std::string, Cpu> cpus = {{"native", Cpu::native}, {"x86-64-v2", Cpu::x86_64_v2},
                                         {"v2", Cpu::x86_64_v2},  {"x86-64-v3", Cpu::x86_64_v3},
                                         {"v3", Cpu::x86_64_v3},  {"x86-64-v4", Cpu::x86_64_v4},
                                         {"v4", Cpu::x86_64_v4}};

static Cpu chosen = Cpu::native;

void choose_cpu(Cpu cpu) { chosen = cpu; }
Cpu chosen_cpu() { return chosen; }

std::string describe_processor() {
  return fmt::format("{}: {}, {} floats a vector (LLVM {})", host().tune, host().cpu, host().lanes,
                     LLVM_VERSION_STRING);
}

}  // namespace lower
