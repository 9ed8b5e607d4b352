// NAME.h, the C header of a library that `vaec build --emit=library` makes. In: the library's name, which is
// an identifier. Out: the text. Its types are those of runtime/model_api.h.
#pragma once
#include <string>

namespace vaec {

std::string library_header(const std::string& name);

}  // namespace vaec
