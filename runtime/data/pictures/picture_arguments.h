// Adds arguments to the reader `images` that follow from the variable its pictures are read for. In: a data
// expression and the shape of the variable. Out: the expression with that picture size, if the program names
// none; with class indices for a variable of classes; and without the pixels if only the numbers of the
// subfolders (`label`) are used.
#pragma once
#include "runtime/data/table.h"
#include "runtime/schema/data_expression.h"

namespace data {

void complete_picture_arguments(schema::DataExpression& expression, const Shape& shape, bool classes);

}  // namespace data
