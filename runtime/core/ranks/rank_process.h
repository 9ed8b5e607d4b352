// The process of a rank, as the other ranks know it: its host, the cores that it may use, and whether it
// lives.
#pragma once
#include <cstdint>
#include <string>

namespace core {

std::string own_host();
/// The cores that this process may use, as text.
std::string own_mask();
/// Whether the process of this machine has ended, perhaps without being waited for.
bool has_ended(int64_t process);

}  // namespace core
