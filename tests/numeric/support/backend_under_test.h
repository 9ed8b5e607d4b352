// The backends of this build, and the one on which tests of whole steps run: VAEC_BACKEND, as for
// executables; the default is onednn.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

#include "runtime/core/machine/backend.h"

inline bool is_installed(const std::string& backend) {
  const auto library = std::filesystem::path(VAEC_BIN).parent_path().parent_path() / "lib/libvaert_torch.so";
  return backend != "torch" || std::filesystem::exists(library);
}

inline core::MachineRequest one_thread() {
  const char* name = std::getenv("VAEC_BACKEND");
  return {.backend = name ? name : "", .threads = 1};
}

inline const vae_library* backend_under_test() { return core::open_backend(one_thread()); }
