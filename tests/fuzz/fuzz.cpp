// The libFuzzer program for all targets: fuzz TARGET [libFuzzer's flags] CORPUS ... (tests/fuzz/run).
#include <cstdio>
#include <string_view>

#include "tests/fuzz/targets.h"

static const fuzz::Target* chosen = nullptr;

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  for (const fuzz::Target& target : fuzz::targets)
    if (*count > 1 && std::string_view((*words)[1]) == target.name) chosen = &target;
  if (!chosen) {
    std::fprintf(stderr, "fuzz: name a target first:");
    for (const fuzz::Target& target : fuzz::targets) std::fprintf(stderr, " %s", target.name);
    std::fprintf(stderr, "\n");
    std::exit(64);
  }
  for (int i = 1; i + 1 < *count; ++i) (*words)[i] = (*words)[i + 1];
  --*count;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  chosen->take({reinterpret_cast<const char*>(data), size});
  return 0;
}
