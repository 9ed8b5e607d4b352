// Files of values as columns, as they stand in the file: npy, npz, csv, safetensors, idx, a picture or a
// folder of pictures. Failure(bad_data) where a file is broken, missing_input where there is none.
#pragma once
#include <filesystem>

#include "runtime/core/image.h"
#include "runtime/data/transformation.h"

namespace core {

/// `rule`: what the sources do to the variable's values, or null. Its reader says how values are scaled where
/// the file's form leaves that open, and which columns of a CSV file they are where none has the variable's
/// name.
data::Column read_column(const std::filesystem::path& path, const Image& image, const Variable& variable,
                         const data::Transformation* rule);

}  // namespace core
