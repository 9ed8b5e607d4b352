#include "compiler/data_get.h"

#include <dlfcn.h>

#include "compiler/files.h"

namespace vaec {

Exit get_data(const std::string& name, const std::string& to) {
  const std::string library = runtime_library();
  void* runtime = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* found = runtime ? dlsym(runtime, "vaert_data_get") : nullptr;
  if (!found) throw Failure(Exit::bad_configuration, "cannot open the runtime: " + std::string(dlerror()));
  const auto get = reinterpret_cast<int (*)(const char*, const char*)>(found);
  return static_cast<Exit>(get(name.c_str(), to.c_str()));
}

}  // namespace vaec
