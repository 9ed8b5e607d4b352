// Functions of libvaert.so that the driver calls; the library is opened when the first is asked for.
#pragma once
#include <dlfcn.h>

#include "compiler/failure.h"
#include "compiler/files.h"

namespace vaec {

/// Failure(bad_configuration) where the library cannot be opened or has no such function.
template <class Function>
Function runtime_function(const char* name) {
  void* runtime = dlopen(runtime_library().c_str(), RTLD_NOW | RTLD_LOCAL);
  void* found = runtime ? dlsym(runtime, name) : nullptr;
  if (!found) throw Failure(Exit::bad_configuration, "cannot open the runtime: " + std::string(dlerror()));
  return reinterpret_cast<Function>(found);
}

}  // namespace vaec
