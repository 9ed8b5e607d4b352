// Which build of a program or library this is: the identity that the linker wrote into it. In: an address of
// its code. Out: hexadecimal digits, equal only for equal builds; empty if the linker wrote none.
#pragma once
#include <string>

namespace lower {

std::string build_identity(const void* address);

}  // namespace lower
