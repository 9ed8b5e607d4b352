#include "runtime/core/machine/nccl/nccl.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <type_traits>

#include "runtime/shared/failure.h"

namespace core::nccl {
namespace {

constexpr const char* file = "libnccl.so.2";
constexpr int least_version = 20900;  // 2.9.0: the first that CUDA graphs may record

Failure refusal(const std::string& cause) { return Failure(Exit::bad_configuration, cause); }

/// As NCCL numbers its versions since 2.9.
std::string text_of(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

Library open() {
  void* opened = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!opened)
    throw refusal(
        fmt::format("several ranks on GPUs need NCCL, and {} cannot be opened; install it "
                    "(package libnccl2, or PyTorch's nvidia-nccl) and name its folder in "
                    "LD_LIBRARY_PATH",
                    file));
  Library library{};
  const auto find = [&](auto& function, const char* name) {
    void* found = dlsym(opened, name);
    if (!found) throw refusal(fmt::format("{} has no {}: NCCL 2.9 is needed", file, name));
    function = reinterpret_cast<std::decay_t<decltype(function)>>(found);
  };
#define FIND(name) find(library.name, #name);
  FIND(ncclGetVersion)
  FIND(ncclGetErrorString)
  FIND(ncclGetUniqueId)
  FIND(ncclCommInitRank)
  FIND(ncclCommGetAsyncError)
  FIND(ncclCommAbort)
  FIND(ncclCommDestroy)
  FIND(ncclAllReduce)
#undef FIND
  int version = 0;
  library.ncclGetVersion(&version);
  // Older versions have four digits.
  if (version < least_version)
    throw refusal(fmt::format("{} is too old (its number is {}): NCCL 2.9 is needed", file, version));
  return library;
}

}  // namespace

const Library& Library::get() {
  static const Library library = open();
  return library;
}

std::string Library::error(int result, const char* call) const {
  if (result == success) return "";
  return fmt::format("NCCL: {}: {}", call, ncclGetErrorString(result));
}

std::string Library::version() const {
  int version = 0;
  ncclGetVersion(&version);
  return text_of(version);
}

std::string make_id() {
  const Library& library = Library::get();
  UniqueId id{};
  if (const std::string error = library.error(library.ncclGetUniqueId(&id), "ncclGetUniqueId");
      !error.empty())
    throw refusal(error);
  return {id.bytes, sizeof id.bytes};
}

}  // namespace core::nccl
