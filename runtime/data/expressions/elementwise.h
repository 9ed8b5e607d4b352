// Element-wise arithmetic and comparisons of columns and numbers, in float32 like the data. The results of
// comparisons and `and or not` are 0 and 1, stored as bytes. A number is applied to every element of a
// column. A row with one value is stretched over its whole row; other row shapes must fit as arguments of
// families do. NaN (a missing value) stays NaN, also in comparisons.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/data/table.h"

namespace data {

using Operand = std::variant<double, Column>;

bool is_elementwise(const std::string& operation);
/// The result is computed when it is needed, if an operand is streamed or `memory` has no space for the
/// result. Failure(bad_data) names both columns if their numbers of rows or their shapes do not fit.
/// Failure(internal) if the number of arguments is wrong.
Operand apply_elementwise(const std::string& operation, const std::vector<Operand>& arguments,
                          Memory* memory = nullptr);

/// Whether a value of shape `given` can be used for shape `wanted` element by element: the shapes are equal,
/// differ only in axes of length 1, or one of them is a vector and the numbers of elements agree.
bool shapes_fit(const Shape& given, const Shape& wanted);

/// The column with rows of shape `wanted`; a scalar, or an axis of length 1, is repeated. Returns nothing if
/// the shapes allow neither this nor what shapes_fit says.
std::optional<Column> stretch_rows(const Column& column, const Shape& wanted);

}  // namespace data
