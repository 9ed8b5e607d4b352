// The processor that code is made for, in words.
#pragma once
#include <string>

namespace lower {

std::string describe_processor();

}  // namespace lower
