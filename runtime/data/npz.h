// NPZ files: zip archives of NPY arrays. One array as a column whose rows are its first axis.
// Failure(bad_data) on a broken archive, and where it has no array of the name, listing those it has;
// cannot_write with the path and what the system said.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/data/array_file.h"

namespace data {

Column read_npz(const std::filesystem::path& path, const std::string& array, const Placement& placement = {});
/// Arrays by name, as bytes of NPY files; stored, as numpy.savez does.
void write_npz(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, std::vector<uint8_t>>>& arrays);

}  // namespace data
