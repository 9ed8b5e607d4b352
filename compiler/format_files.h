// `vaec fmt`: canonical layout of files, of all .vae files in folders, and of standard input (`-`).
#pragma once
#include <string>
#include <vector>

#include "compiler/failure.h"

namespace vaec {

struct FormatRequest {
  std::vector<std::string> paths;  // files, folders, `-`
  bool check_only = false;         // write nothing; say which are not canonical
  bool json = false;               // how diagnostics are written
};

/// Goes on after a file that cannot be read, has errors, or cannot be written; each is reported in one line.
/// The exit code of the first such failure; else 1 for diagnostics, or where a check finds another layout.
Exit format_files(const FormatRequest& request);

}  // namespace vaec
