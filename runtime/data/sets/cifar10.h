// CIFAR-10 in its binary form: records of a label and 3 x 32 x 32 bytes, in the files of a folder or of the
// original archive. Columns `image` [3, 32, 32] in [0, 1] and `label`. Failure(bad_data) names the file if
// one is missing, has another length, or has a label above 9.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/data/arrays/array_file.h"
#include "runtime/data/table.h"

namespace data {

/// `place`: the archive, or one of the files; the others are in the same folder. `files`: the wanted files,
/// in order. Images that `placement` has no memory for are unpacked once, into a file.
Table read_cifar10(const std::filesystem::path& place, const std::vector<std::string>& files,
                   const Placement& placement);

}  // namespace data
