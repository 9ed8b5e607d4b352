// Writes results to files. The ending of --out decides the form.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/inference/sampler.h"

namespace core {

/// One tensor of a result: [rows, variable's tensor shape], or [rows, draws, variable's tensor shape].
struct Result {
  std::string name;
  const Variable* variable = nullptr;
  std::vector<float> values;
  int64_t draws = 0;
};

/// A cell of a CSV file, quoted if necessary.
std::string csv_cell(const std::string& text);
/// Whether files with this ending hold several tensors.
bool holds_several(const std::filesystem::path& path);
/// Failure(usage) if no file with this ending can be written. Called before anything is computed.
void check_ending(const std::filesystem::path& path);
/// Failure(usage) if the file is a picture and none of the variables is an image.
void check_picture(const std::filesystem::path& path, const Image& image, const std::vector<int>& variables);
/// png: the first result that is an image or a plane of classes, as a grid. npy: the first result. npz,
/// safetensors: all results, by name. csv: all results, one column per element; for a category, the most
/// probable class at each position. `columns`: of a picture; 0: as many as it has rows.
void write_results(const std::filesystem::path& path, const std::vector<Result>& results, int64_t rows,
                   int64_t columns = 0);

}  // namespace core
