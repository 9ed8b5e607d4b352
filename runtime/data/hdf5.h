// HDF5 files: a dataset of numbers as one column whose rows are its first axis. What memory has no space for
// is read from the file as other arrays are, where the numbers lie there as they are, else piece by piece
// through libhdf5, ahead by a thread of its own. Failures: bad_data on a broken file, and where it has no
// dataset of the name, listing those it has.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/data/array_file.h"

namespace data {

Column read_hdf5(const std::filesystem::path& path, const std::string& name, const Placement& placement = {});

}  // namespace data
