// Values of variables in files: what --given reads and --out writes, by the file's ending.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/sampler.h"

namespace core {

struct Given {
  Values values;
  Values masks;      // where values are missing in a file (NaN, an empty cell): 1 for each that is known
  int64_t rows = 0;  // 0 where nothing is given
};

/// "x=FILE" (npy, npz, csv, safetensors, idx, a picture or a folder of them) or "x=SOURCE", in the variable's
/// domain. Failure(usage) where the text is none of these, bad_data where the file does not fit the variable
/// or the rows of two variables do not agree.
Given read_given(const Image& image, Sampler& sampler, const std::vector<std::string>& texts);

/// "x=FILE": 1 where an element of x is known, of x's shape without its class axis; as many floats a row as x
/// has. One row stands for all. Failures as read_given's.
Values read_masks(const Image& image, const std::vector<std::string>& texts, int64_t rows);

/// The `rows` rows of `values` from `first`, beginning again at their end.
Values some_rows(const Image& image, const Values& values, int64_t all_rows, int64_t first, int64_t rows);

/// One tensor of a result: [rows, variable's tensor shape], or [rows, draws, variable's tensor shape].
struct Result {
  std::string name;
  const Variable* variable = nullptr;
  std::vector<float> values;
  int64_t draws = 0;
};

/// Of the endings that hold several tensors.
bool holds_several(const std::filesystem::path& path);
/// Failure(usage) where the ending is not one that can be written, before anything is computed.
void check_ending(const std::filesystem::path& path);
/// Failure(usage) where the file is a picture and none of the variables an image.
void check_picture(const std::filesystem::path& path, const Image& image, const std::vector<int>& variables);
/// png: the first result that is an image or a plane of classes, as a grid; npy: the first result; npz,
/// safetensors: all, by name; csv: all, a column an element, of a category the most probable class at each
/// position.
void write_results(const std::filesystem::path& path, const std::vector<Result>& results, int64_t rows);

}  // namespace core
