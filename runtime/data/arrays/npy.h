// NPY files. Writes arrays of float32; reads arrays of any real type of number, in C or Fortran order.
// Failures: bad_data if a file is malformed, too short or too long; cannot_write with the path and the
// system's message.
#pragma once
#include <filesystem>
#include <vector>

#include "runtime/data/arrays/array_file.h"

namespace data {

/// An array as one column whose rows are its first axis.
Column read_npy(ByteSource& source, const std::string& name, const Placement& placement = {});
Column read_npy(const std::filesystem::path& path, const std::string& name, const Placement& placement = {});

std::vector<uint8_t> npy_bytes(const Shape& shape, const float* values);
void write_npy(const std::filesystem::path& path, const Shape& shape, const float* values);

}  // namespace data
