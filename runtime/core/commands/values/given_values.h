// The values that --given and --mask name: from files, from sources of the program, or written out.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/inference/sampler.h"
#include "runtime/core/run/preprocessing.h"

namespace core {

struct Given {
  Values values;
  /// For variables with missing values in a file (NaN, an empty cell): 1 for each known value
  Values masks;
  int64_t rows = 0;  // 0 if nothing is given
};

/// "x=FILE", "x=SOURCE", "x=7", "x=[0.5, 2]", "x=north", or "SOURCE". "SOURCE" stands for all variables that
/// the source gives, or those of them in `wanted` if that is set. Values that are not from a source go
/// through the transformations that the sources have for the variable, with a note. One row is repeated for
/// all. Failure(usage) if the text is none of these, bad_data if the values do not fit or the row counts of
/// two variables differ.
Given read_given(const Image& image, Sampler& sampler, Preprocessing& preprocessing,
                 const std::vector<std::string>& texts, const std::optional<std::set<int>>& wanted = {});

/// "x=FILE": 1 where an element of x is known. The file has x's shape without a class axis; the result has as
/// many floats per row as x. One row is repeated for all. Failures as in read_given.
Values read_masks(const Image& image, const std::vector<std::string>& texts, int64_t rows);

}  // namespace core
