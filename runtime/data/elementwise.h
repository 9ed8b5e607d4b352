// Element-wise arithmetic and comparisons over columns and numbers, in float32 as the data are; comparisons
// and `and or not` give 0 and 1 held as bytes. A number stretches over a column, a row of one value over its
// whole row; row shapes fit as arguments of families do. NaN (a missing value) stays NaN, through comparisons
// too.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/data/table.h"

namespace data {

using Operand = std::variant<double, Column>;

bool is_elementwise(const std::string& operation);
/// The result is computed when it is needed where an operand is streamed or `memory` has no space for it.
/// Failure(bad_data) naming both columns where rows or shapes do not fit, internal on a wrong number of
/// arguments.
Operand apply_elementwise(const std::string& operation, const std::vector<Operand>& arguments,
                          Memory* memory = nullptr);

/// Whether a value of shape `given` may stand for one of shape `wanted`, element for element: the shapes are
/// equal, differ only in axes of length 1, or either is a vector and the element counts agree.
bool shapes_fit(const Shape& given, const Shape& wanted);

/// Rows of shape `wanted`, a scalar or axes of length 1 repeated; none where the shapes admit it neither so
/// nor as shapes_fit says.
std::optional<Column> stretch_rows(const Column& column, const Shape& wanted);

}  // namespace data
