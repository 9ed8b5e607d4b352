// `vaec fmt`: the canonical layout of files, of all .vae files in folders, and of standard input (`-`).
#pragma once
#include <string>
#include <vector>

#include "runtime/shared/failure.h"

namespace vaec {

struct FormatRequest {
  std::vector<std::string> paths;  // files, folders, `-`
  bool check_only = false;         // writes nothing, but lists files whose layout is not canonical
  bool json = false;               // the form of diagnostics
};

/// Goes on after a file that cannot be read, has errors, or cannot be written, and reports each in one line.
/// Returns the exit code of the first such failure. Otherwise 1 for diagnostics, or if a check finds another
/// layout.
Exit format_files(const FormatRequest& request);

}  // namespace vaec
