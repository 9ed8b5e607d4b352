// Opens libraries that only some programs need, when they are needed. They lie in the folder of libvaert.so.
#pragma once
#include <string>

namespace data {

/// A function of `library` (for example `libvaert_hdf5.so`), which stays open. Failure(bad_configuration) if
/// this installation does not have the library.
void* function_of(const std::string& library, const std::string& function);
template <typename Function>
Function* function_of(const std::string& library, const std::string& function) {
  return reinterpret_cast<Function*>(function_of(library, function));
}

/// Opens a system library and makes its symbols visible to libraries that are opened later; it stays open.
/// Failure(bad_configuration) names the `packages` that contain it.
void open_system_library(const std::string& name, const std::string& packages);

}  // namespace data
