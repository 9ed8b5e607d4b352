// NPY files: arrays of float32 written; arrays of any real type of number read, in C or Fortran order.
// Failures: bad_data on a malformed, short or long file, cannot_write with the path and what the system said.
#pragma once
#include <filesystem>
#include <vector>

#include "runtime/data/array_file.h"

namespace data {

/// An array as one column whose rows are its first axis.
Column read_npy(ByteSource& source, const std::string& name, const Placement& placement = {});
Column read_npy(const std::filesystem::path& path, const std::string& name, const Placement& placement = {});

std::vector<uint8_t> npy_bytes(const Shape& shape, const float* values);
void write_npy(const std::filesystem::path& path, const Shape& shape, const float* values);

}  // namespace data
