// The processor that code is made for: the one that vaec runs on, or a level of x86-64.
#pragma once
#include <map>
#include <string>

namespace lower {

/// The most demanding first.
enum class Cpu { native, x86_64_v4, x86_64_v3, x86_64_v2 };

/// By the names that a user writes.
extern const std::map<std::string, Cpu> cpus;

/// For the code that is made from now on; native unless called. Not while other threads make code.
void choose_cpu(Cpu cpu);
Cpu chosen_cpu();

std::string describe_processor();

}  // namespace lower
