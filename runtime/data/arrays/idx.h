// Reads IDX files, the format of MNIST: an array as one column whose rows are its first axis. Bytes stay
// bytes. Failure(bad_data) if the magic number is wrong, a size overflows, or the file is too short or too
// long.
#pragma once
#include <filesystem>

#include "runtime/data/arrays/array_file.h"

namespace data {

Column read_idx(const std::filesystem::path& path, const std::string& name, const Placement& placement = {});

}  // namespace data
