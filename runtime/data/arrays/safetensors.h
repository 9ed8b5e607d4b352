// Safetensors files: named tensors, written as float32 and read from any real type of number.
// A file is first written under a temporary name, then renamed: if the process is killed, the file is the old
// one or the new one. Failures: bad_data if a file is malformed or too short, cannot_write with the path and
// the system's message.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/data/arrays/array_file.h"

namespace data {

struct Tensor {
  Shape shape;
  std::vector<float> values;
  bool bytes = false;  // write it as U8: the values are whole numbers from 0 to 255
};

using Tensors = std::map<std::string, Tensor>;

/// `metadata`: texts by name, which other tools display.
void write_safetensors(const std::filesystem::path& path, const Tensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});
/// If `metadata` is not null, it gets the metadata of the file.
Tensors read_safetensors(const std::filesystem::path& path,
                         std::map<std::string, std::string>* metadata = nullptr);
/// One tensor as a column whose rows are its first axis. If it is not there, the failure lists the tensors
/// that are.
Column read_safetensors_column(const std::filesystem::path& path, const std::string& name,
                               const Placement& placement = {});

}  // namespace data
