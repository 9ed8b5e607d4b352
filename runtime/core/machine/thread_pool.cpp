#include "runtime/core/machine/thread_pool.h"

#include <fmt/format.h>
#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <tuple>
#include <utility>

#include "runtime/shared/counted.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/own_executable.h"

namespace core {
namespace {

/// A number of /sys/devices/system/cpu/cpuN/topology; `otherwise` if the system does not tell it.
int topology_of(int processor, const char* name, int otherwise) {
  std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/{}", processor, name));
  int number = 0;
  return file >> number ? number : otherwise;
}

bool bind_this_thread(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace

int usable_cores() { return std::max(1, omp_get_num_procs()); }

int most_threads() { return 4 * usable_cores(); }

void wait_briefly(char** argv) {
  if (getenv("GOMP_SPINCOUNT") != nullptr || getenv("OMP_WAIT_POLICY") != nullptr) return;
  const std::filesystem::path executable = own_executable();
  if (executable.empty()) return;
  setenv("GOMP_SPINCOUNT", "2000", 1);
  execv(executable.c_str(), argv);
}

std::vector<Processor> usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<Processor> found;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return found;
  for (int number = 0; number < CPU_SETSIZE; ++number)
    if (CPU_ISSET(number, &set))
      found.push_back(
          {number, topology_of(number, "physical_package_id", 0), topology_of(number, "core_id", number)});
  return found;
}

std::vector<int> in_order_of_use(std::vector<Processor> processors) {
  std::ranges::sort(processors, {}, &Processor::number);
  std::map<std::pair<int, int>, int> seen;  // of each core: how many of its hardware threads
  std::vector<std::tuple<int, int, int, int>> order;
  for (const Processor& each : processors)
    order.emplace_back(seen[{each.package, each.core}]++, each.package, each.core, each.number);
  std::ranges::sort(order);
  std::vector<int> numbers;
  for (const auto& each : order) numbers.push_back(std::get<3>(each));
  return numbers;
}

void pin_threads(int threads, int first) {
  // The main thread may be bound already, by an earlier call.
  static const std::vector<int> order = in_order_of_use(usable_processors());
  const auto available = static_cast<int>(order.size());
  if (first + threads > available)
    throw Failure(Exit::usage,
                  fmt::format("--pin: {} do not fit on the {} that this process may use",
                              counted(first + threads, "thread"), counted(available, "processor")));
  bool good = true;
#pragma omp parallel num_threads(threads) reduction(&& : good)
  good = bind_this_thread(order[static_cast<size_t>(first + omp_get_thread_num())]);
  if (!good)
    throw Failure(Exit::bad_configuration, "--pin: this system does not let threads choose their processor");
}

}  // namespace core
