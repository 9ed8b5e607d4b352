// IDX files, the format of MNIST: the array as one column whose rows are its first axis.
// Bytes stay bytes. Failure(bad_data) on a wrong magic number, a size that overflows, a short or a long file.
#pragma once
#include <filesystem>

#include "runtime/data/array_file.h"

namespace data {

Column read_idx(const std::filesystem::path& path, const std::string& name, const Placement& placement = {});

}  // namespace data
