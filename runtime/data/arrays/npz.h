// NPZ files: zip archives of NPY arrays. Reads one array as a column whose rows are its first axis. Failures:
// bad_data if the archive is broken, or if it has no array of the name; the message then lists its arrays.
// cannot_write with the path and the system's message.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/data/arrays/array_file.h"

namespace data {

Column read_npz(const std::filesystem::path& path, const std::string& array, const Placement& placement = {});
/// Writes arrays by name; each is given as the bytes of an NPY file. They are stored without compression, as
/// numpy.savez does.
void write_npz(const std::filesystem::path& path,
               const std::vector<std::pair<std::string, std::vector<uint8_t>>>& arrays);

}  // namespace data
