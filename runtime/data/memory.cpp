#include "runtime/data/memory.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <string>

#include "runtime/data/process_memory.h"
#include "runtime/shared/failure.h"

namespace data {

int64_t memory_of_process() {
  int64_t bytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  for (const char* group : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"})
    if (int64_t limit = 0; std::ifstream(group) >> limit && limit > 0) bytes = std::min(bytes, limit);
  for (const auto kind : {RLIMIT_AS, RLIMIT_DATA})
    if (rlimit limit{}; getrlimit(kind, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
      bytes = std::min<int64_t>(bytes, static_cast<int64_t>(limit.rlim_cur));
  return bytes;
}

Memory Memory::from_environment() {
  const char* set = std::getenv("VAEC_DATA_MEMORY");
  if (!set || !*set) return Memory(memory_of_process() / 4);
  const std::string text = set;
  int64_t number = -1;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(rest, text.data() + text.size());
  const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
  if (error != std::errc() || number < 0 || shift < 0 ||
      number > std::numeric_limits<int64_t>::max() >> shift)
    throw Failure(Exit::bad_configuration,
                  fmt::format("VAEC_DATA_MEMORY must be a number of bytes, as 500M or 8G, not {}", text));
  return Memory(number << shift);
}

bool Memory::take(int64_t bytes) {
  if (!has(bytes)) return false;
  left_ -= bytes;
  return true;
}

int64_t Memory::for_read_ahead() const { return std::clamp<int64_t>(total_ / 8, 1 << 20, 256 << 20); }

}  // namespace data
