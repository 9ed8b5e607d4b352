// Machine code in this process. In: objects. Out: addresses by name, which are valid as long as the Jit
// exists. Symbols that the objects do not define are looked up in the process, including libraries opened
// with RTLD_GLOBAL.
#pragma once
#include <memory>
#include <string>
#include <vector>

namespace llvm::orc {
class LLJIT;
}

namespace lower {

class Jit {
 public:
  explicit Jit(const std::vector<std::string>& objects);
  ~Jit();

  /// Throws std::logic_error if there is no such name.
  void* address(const std::string& name);

 private:
  std::unique_ptr<llvm::orc::LLJIT> jit_;
};

}  // namespace lower
