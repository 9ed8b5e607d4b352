// What --given and --mask say: values of variables from files, sources of the program, or as they are
// written.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/preprocessing.h"
#include "runtime/core/sampler.h"

namespace core {

struct Given {
  Values values;
  Values masks;      // where values are missing in a file (NaN, an empty cell): 1 for each that is known
  int64_t rows = 0;  // 0 where nothing is given
};

/// "x=FILE", "x=SOURCE", "x=7", "x=[0.5, 2]", "x=north", or "SOURCE": all rows of what it gives, of the
/// variables of `wanted` where that is set. What is no source goes through the transformations that the
/// sources have for the variable, with a note. One row stands for all. Failure(usage) where the text is none
/// of these, bad_data where the values do not fit or the rows of two variables do not agree.
Given read_given(const Image& image, Sampler& sampler, Preprocessing& preprocessing,
                 const std::vector<std::string>& texts, const std::optional<std::set<int>>& wanted = {});

/// "x=FILE": 1 where an element of x is known, of x's shape without its class axis; as many floats a row as x
/// has. One row stands for all. Failures as read_given's.
Values read_masks(const Image& image, const std::vector<std::string>& texts, int64_t rows);

}  // namespace core
