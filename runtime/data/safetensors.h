// Safetensors files: named tensors, written as float32 and read from any real type of number.
// A file is written aside, then renamed: a kill at any moment leaves the old one or the new one.
// Failures: bad_data on a malformed or short file, cannot_write with the path and what the system said.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/data/array_file.h"

namespace data {

struct Tensor {
  Shape shape;
  std::vector<float> values;
  bool bytes = false;  // written as U8: whole numbers from 0 to 255
};

using Tensors = std::map<std::string, Tensor>;

/// `metadata`: text by name, as other tools show it.
void write_safetensors(const std::filesystem::path& path, const Tensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});
/// `metadata`, where it is not null, takes the file's.
Tensors read_safetensors(const std::filesystem::path& path,
                         std::map<std::string, std::string>* metadata = nullptr);
/// One tensor as a column whose rows are its first axis; where it is not there the failure lists what is.
Column read_safetensors_column(const std::filesystem::path& path, const std::string& name,
                               const Placement& placement = {});

}  // namespace data
