// Opens libraries that only some programs need, when they are needed. They lie in the folder of libvaert.so.
#pragma once
#include <string>

namespace data {

/// How a library finds functions of the libraries that it needs. own_first: in those that it was built with,
/// even if the process already has another library with a function of the same name. LibTorch may contain
/// another version of oneDNN than the one that the runtime uses.
enum class Lookup { usual, own_first };

/// A function of `library` (for example `libvaert_hdf5.so`), which stays open. Failure(bad_configuration) if
/// this installation does not have the library.
void* function_of(const std::string& library, const std::string& function, Lookup lookup = Lookup::usual);
template <typename Function>
Function* function_of(const std::string& library, const std::string& function) {
  return reinterpret_cast<Function*>(function_of(library, function));
}

/// Opens a system library and makes its symbols visible to libraries that are opened later; it stays open.
/// Failure(bad_configuration) names the `packages` that contain it.
void open_system_library(const std::string& name, const std::string& packages);

}  // namespace data
