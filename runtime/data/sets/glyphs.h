// A built-in data set: 28 by 28 handwritten digits, drawn from strokes with random shape (control points,
// slant, size, thickness, pressure) and texture. Columns `image` in [0, 1], `label` 0 to 9, `mask` (1 on the
// strokes). Glyph i of a seed does not depend on n. Failure(bad_configuration) if n is not a possible number
// of rows.
#pragma once
#include <cstdint>

#include "runtime/data/table.h"

namespace data {

Table draw_glyphs(int64_t n, uint64_t seed);

}  // namespace data
