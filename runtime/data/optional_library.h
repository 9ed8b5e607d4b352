// Libraries that only some programs need, opened when they do. They lie beside libvaert.so.
#pragma once
#include <string>

namespace data {

/// A function of `library` (`libvaert_hdf5.so`), which stays open. Failure(bad_configuration) where this
/// installation does not have it.
void* function_of(const std::string& library, const std::string& function);
template <typename Function>
Function* function_of(const std::string& library, const std::string& function) {
  return reinterpret_cast<Function*>(function_of(library, function));
}

/// Opens a library of the system whose names those that are opened later may use; it stays open.
/// Failure(bad_configuration) naming the `packages` that have it.
void open_system_library(const std::string& name, const std::string& packages);

}  // namespace data
