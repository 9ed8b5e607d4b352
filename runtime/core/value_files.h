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
  int64_t rows = 0;  // 0 where nothing is given
};

/// "x=FILE" (npy, csv, safetensors, idx, or a folder of pictures) or "x=SOURCE", in the variable's domain.
/// Failure(usage) where the text is none of these, bad_data where the file does not fit the variable or the
/// rows of two variables do not agree.
Given read_given(const Image& image, Sampler& sampler, const std::vector<std::string>& texts);

/// The `rows` rows of `values` from `first`, beginning again at their end.
Values some_rows(const Image& image, const Values& values, int64_t all_rows, int64_t first, int64_t rows);

/// One tensor of a result: [rows, variable's tensor shape].
struct Result {
  std::string name;
  const Variable* variable = nullptr;
  std::vector<float> values;
};

/// Failure(usage) where the ending is not one that can be written, before anything is computed.
void check_ending(const std::filesystem::path& path);
/// png: the first result that is an image, as a grid; npy: the first result; safetensors: all;
/// csv: all, a column an element, of a scalar category its most probable class.
void write_results(const std::filesystem::path& path, const std::vector<Result>& results, int64_t rows);

}  // namespace core
