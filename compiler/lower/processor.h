// The processor for which code is generated: the one that vaec runs on, or a level of x86-64.
#pragma once
#include <map>
#include <string>

namespace lower {

/// After `native`, the most demanding comes first.
enum class Cpu { native, x86_64_v4, x86_64_v3, x86_64_v2 };

/// Keyed by the names that a user writes.
extern const std::map<std::string, Cpu> cpus;

/// Chooses the processor for all code generated from now on; `native` if never called. Do not call it while
/// other threads generate code.
void choose_cpu(Cpu cpu);
Cpu chosen_cpu();

std::string describe_processor();

}  // namespace lower
