// Functions of libvaert.so that the driver calls. The library is opened when the first is requested.
#pragma once
#include <dlfcn.h>

#include "compiler/files.h"
#include "runtime/shared/failure.h"

namespace vaec {

/// Throws Failure(bad_configuration) if the library cannot be opened or has no such function.
template <class Function>
Function runtime_function(const char* name) {
  void* runtime = dlopen(runtime_library().c_str(), RTLD_NOW | RTLD_LOCAL);
  void* found = runtime ? dlsym(runtime, name) : nullptr;
  if (!found) throw Failure(Exit::bad_configuration, "cannot open the runtime: " + std::string(dlerror()));
  return reinterpret_cast<Function>(found);
}

}  // namespace vaec
