// Machine code in this process. In: objects. Out: addresses by name, while the Jit lives. Symbols that the
// objects do not define is looked up in the process, libraries opened with RTLD_GLOBAL included.
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

  /// Throws std::logic_error where there is none.
  void* address(const std::string& name);

 private:
  std::unique_ptr<llvm::orc::LLJIT> jit_;
};

}  // namespace lower
