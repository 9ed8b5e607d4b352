#include "runtime/data/optional_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "runtime/shared/failure.h"

namespace data {
namespace fs = std::filesystem;

/// The folder of the file that contains this code: libvaert.so, or a program that the runtime is linked into.
static fs::path own_folder() {
  Dl_info own;
  return dladdr(reinterpret_cast<void*>(&own_folder), &own) ? fs::path(own.dli_fname).parent_path()
                                                            : fs::path();
}

/// Sanitizers do not work with libraries that look into themselves first.
constexpr int own_functions_first =
#ifdef __SANITIZE_ADDRESS__
    0;
#else
    RTLD_DEEPBIND;
#endif

void* function_of(const std::string& library, const std::string& function, Lookup lookup) {
  const fs::path beside = own_folder() / library, in_lib = own_folder().parent_path() / "lib" / library;
  std::error_code ignored;
  const fs::path path = fs::exists(beside, ignored) ? beside : in_lib;
  void* opened =
      dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | (lookup == Lookup::own_first ? own_functions_first : 0));
  void* found = opened ? dlsym(opened, function.c_str()) : nullptr;
  if (!found) {
    const char* cause = dlerror();
    throw Failure(Exit::bad_configuration, fmt::format("this installation cannot open {}: {}", path.string(),
                                                       cause ? cause : "no reason is given"));
  }
  return found;
}

void open_system_library(const std::string& name, const std::string& packages) {
  if (dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL)) return;
  const char* cause = dlerror();
  throw Failure(Exit::bad_configuration, fmt::format("{} cannot be opened (it is in the package {}): {}",
                                                     name, packages, cause ? cause : "no reason is given"));
}

}  // namespace data
