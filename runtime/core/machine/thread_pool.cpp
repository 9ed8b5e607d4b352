#include "runtime/core/machine/thread_pool.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "runtime/shared/own_executable.h"

namespace core {

int usable_cores() { return std::max(1, omp_get_num_procs()); }

int most_threads() { return 4 * usable_cores(); }

void wait_briefly(char** argv) {
  if (getenv("GOMP_SPINCOUNT") != nullptr || getenv("OMP_WAIT_POLICY") != nullptr) return;
  const std::filesystem::path executable = own_executable();
  if (executable.empty()) return;
  setenv("GOMP_SPINCOUNT", "2000", 1);
  execv(executable.c_str(), argv);
}

}  // namespace core
