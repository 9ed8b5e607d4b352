// NPZ files: zip archives of NPY arrays. One array as a column whose rows are its first axis.
// Failure(bad_data) on a broken archive, and where it has no array of the name, listing those it has.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/data/array_file.h"

namespace data {

Column read_npz(const std::filesystem::path& path, const std::string& array, const Room& room = {});

}  // namespace data
