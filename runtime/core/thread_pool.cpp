#include "runtime/core/thread_pool.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace core {

void wait_briefly(char** argv) {
  if (getenv("GOMP_SPINCOUNT") != nullptr || getenv("OMP_WAIT_POLICY") != nullptr) return;
  std::error_code error;
  const std::filesystem::path executable = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return;
  setenv("GOMP_SPINCOUNT", "2000", 1);
  execv(executable.c_str(), argv);
}

}  // namespace core
