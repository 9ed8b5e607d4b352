// Reads a file of values as a column, in the file's own form: npy, npz, csv, safetensors, idx, a picture or a
// folder of pictures. Failure(bad_data) if a file is broken, missing_input if there is none.
#pragma once
#include <filesystem>

#include "runtime/core/image.h"
#include "runtime/data/expressions/transformation.h"

namespace core {

/// `rule`: what the sources do to the variable's values, or null. Its reader decides how values are scaled if
/// the file does not say so. It also decides which columns of a CSV file are read if none has the variable's
/// name.
data::Column read_column(const std::filesystem::path& path, const Image& image, const Variable& variable,
                         const data::Transformation* rule);

}  // namespace core
