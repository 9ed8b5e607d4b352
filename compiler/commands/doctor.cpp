#include "compiler/commands/doctor.h"

#include <dlfcn.h>
#include <fmt/ostream.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "compiler/base/cache.h"
#include "compiler/files.h"
#include "compiler/lower/device/device_functions.h"
#include "compiler/lower/objects/link.h"
#include "compiler/lower/processor.h"
#include "runtime/shared/cache_folder.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"
#include "runtime/shared/system_libraries.h"

namespace vaec {
namespace fs = std::filesystem;

namespace {

/// How the version of this libvaert.so differs from that of vaec; empty if it does not differ.
std::string other_version(void* runtime) {
  const auto version = reinterpret_cast<const char* (*)()>(dlsym(runtime, "vaert_version"));
  const std::string theirs = version != nullptr ? version() : "0.1.0 or older";
  if (theirs == VAEC_VERSION) return "";
  return fmt::format("libvaert.so is of vaec {}, this is vaec {}; install both from one build", theirs,
                     VAEC_VERSION);
}

/// Why executables cannot export in ONNX's format; empty if they can.
std::string why_not_onnx(const std::string& library) {
  if (!fs::exists(library)) return "this vaec was built without libonnx";
  if (dlopen(onnx_system_library, RTLD_NOW | RTLD_GLOBAL) == nullptr)
    return fmt::format("{} (package {})", dlerror(), onnx_packages);
  return dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr ? "" : dlerror();
}

}  // namespace

bool doctor(std::ostream& out) {
  bool whole = true;
  const auto line = [&](const char* what, bool there, const std::string& text) {
    fmt::print(out, "{:<11}{:<9}{}\n", what, there ? "ok" : "missing", printable(text));
    whole = whole && there;
  };
  line("vaec", true, VAEC_VERSION);
  line("processor", true, lower::describe_processor());
  try {
    const std::string library = runtime_library();
    void* runtime = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    const std::string why_not = runtime != nullptr ? other_version(runtime) : dlerror();
    line("runtime", why_not.empty(), why_not.empty() ? library : why_not);
    for (const auto& [what, file] : {std::pair("hdf5", "libvaert_hdf5.so"),
                                     {"sqlite", "libvaert_sqlite.so"},
                                     {"fetch", "libvaert_fetch.so"},
                                     {"lenet", "libvaert_lenet.so"}}) {
      const std::string path = fs::path(library).replace_filename(file);
      const bool opens = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr;
      line(what, opens, opens ? path : dlerror());
    }
    const std::string onnx = fs::path(library).replace_filename("libvaert_onnx.so");
    const std::string why_no_onnx = why_not_onnx(onnx);
    fmt::print(out, "{:<11}{:<9}{}\n", "onnx", why_no_onnx.empty() ? "ok" : "missing",
               printable(why_no_onnx.empty() ? onnx : "only export --format onnx needs it: " + why_no_onnx));
    const auto optional = [&](const char* what, const char* file, const char* needed_by) {
      const std::string path = fs::path(library).replace_filename(file);
      const bool built = fs::exists(path), opens = built && dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
      fmt::print(out, "{:<11}{:<9}{}\n", what, opens ? "ok" : "missing",
                 printable(opens ? path
                                 : fmt::format("only {} needs it{}", needed_by,
                                               built ? fmt::format(": {}", dlerror()) : "")));
    };
    optional("torch", "libvaert_torch.so", "--backend torch");
    optional("c10d", "libvaert_c10d.so", "--ranks (packages libtorch-dev and libgloo-dev)");
    optional("mpi", "libvaert_mpi.so", "--ranks-transport mpi (package libopenmpi-dev)");
    const char* nccl = "libnccl.so.2";
    const bool has_nccl = dlopen(nccl, RTLD_NOW | RTLD_LOCAL) != nullptr;
    fmt::print(
        out, "{:<11}{:<9}{}\n", "nccl", has_nccl ? "ok" : "missing",
        has_nccl ? nccl
                 : "only several ranks with GPUs need it (libnccl.so.2, which LibTorch with CUDA may bring)");
  } catch (const Failure& failure) {
    line("runtime", false, failure.what());
  }
  const bool functions = !lower::device_functions().empty();
  fmt::print(out, "{:<11}{:<9}{}\n", "gpu", functions ? "ok" : "partly",
             functions
                 ? "PTX of every kernel"
                 : "built without clang++-19: no PTX of kernels that call a function such as log Gamma");
  const std::string why_none = lower::why_no_linker();
  line("linker", why_none.empty(), why_none.empty() ? lower::linker() : why_none);
  const std::string why = base::Cache::why_off("kernels");
  fmt::print(
      out, "{:<11}{:<9}{}\n", "cache", why.empty() ? "ok" : "off",
      printable(why.empty() ? cache_folder().string() : "kernels are compiled anew each time: " + why));
  const char* data = std::getenv("VAEC_DATA");
  fmt::print(out, "{:<11}{:<9}{}\n", "data", data != nullptr ? "ok" : "unset",
             data != nullptr ? printable(data)
                             : "VAEC_DATA names a folder of data sets; the cache is looked in too");
  return whole;
}

}  // namespace vaec
