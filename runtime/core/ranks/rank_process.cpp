#include "runtime/core/ranks/rank_process.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>

namespace core {

std::string own_host() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

std::string own_mask() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return "";
  std::string text;
  for (int core = 0; core < CPU_SETSIZE; core += 4) {
    int digit = 0;
    for (int i = 0; i < 4; ++i) digit |= CPU_ISSET(core + i, &set) ? 1 << i : 0;
    text += "0123456789abcdef"[digit];
  }
  return text.substr(0, text.find_last_not_of('0') + 1);
}

bool has_ended(int64_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string text;
  if (!std::getline(file, text)) return true;
  const size_t name_end = text.rfind(')');
  const char state = name_end + 2 < text.size() ? text[name_end + 2] : 'X';
  return state == 'Z' || state == 'X';
}

}  // namespace core
