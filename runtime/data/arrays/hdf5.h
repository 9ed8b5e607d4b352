// Reads a dataset of numbers in an HDF5 file as one column whose rows are its first axis. A dataset that
// memory has no space for stays in the file. If its numbers lie in the file one after the other, they are
// read as from other arrays; else libhdf5 reads them piece by piece, ahead, in a thread of its own. Failures:
// bad_data if the file is broken, or if it has no dataset of the name; the message then lists its datasets.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/data/arrays/array_file.h"

namespace data {

Column read_hdf5(const std::filesystem::path& path, const std::string& name, const Placement& placement = {});

}  // namespace data
