// What a variable says of the pictures that are read for it. In: a data expression and the variable. Out: the
// expression with the size of the variable where the file names none; with class indices for a variable of
// classes; and without the pixels where the number of the subfolder (`label`) is all that is used.
#pragma once
#include <nlohmann/json.hpp>

#include "runtime/data/table.h"

namespace data {

void complete_picture_arguments(nlohmann::json& expression, const Shape& shape, bool classes);

}  // namespace data
