#include "runtime/data/notes.h"

#include <fmt/format.h>

#include <mutex>
#include <set>

#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"

namespace data {

static void say_once(const std::string& line) {
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::lock_guard lock(mutex);
  if (said.insert(line).second) print_error("{}\n", printable(line));
}

void note_once(const std::string& text) { say_once("note: " + text); }
void warn_once(const std::string& text) { say_once("warning: " + text); }

}  // namespace data
