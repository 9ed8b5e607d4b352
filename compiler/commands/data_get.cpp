#include "compiler/commands/data_get.h"

#include "compiler/runtime_function.h"

namespace vaec {

Exit get_data(const std::string& name, const std::string& to) {
  const auto get = runtime_function<int (*)(const char*, const char*)>("vaert_data_get");
  return static_cast<Exit>(get(name.c_str(), to.c_str()));
}

}  // namespace vaec
