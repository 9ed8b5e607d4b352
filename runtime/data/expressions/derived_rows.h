// Columns whose rows are computed from rows of other columns when they are needed. The other columns stay
// where they are, in memory or in a file.
#pragma once
#include <functional>

#include "runtime/data/table.h"

namespace data {

/// Row i consists of the rows place(i * each) ... place(i * each + each - 1) of `column`, one after the
/// other. The result has the row shape of `column`; the caller must change it.
Column placed_rows(const Column& column, int64_t rows, int64_t each, std::function<int64_t(int64_t)> place);

/// The rows of `first`, then those of `second`, of the same kind and shape.
Column joined_rows(const Column& first, const Column& second);

/// Rows of shape `wanted`. Element k of a row is element places[k] of the same row of `column`.
Column rearranged_rows(const Column& column, const Shape& wanted, std::vector<int64_t> places);

/// Writes rows of float32 or bytes. `parts` below are the columns that `compute` reads.
template <typename T>
using Compute = std::function<void(const int64_t* rows, int64_t n, T* to)>;
std::shared_ptr<const RowSource<uint8_t>> computed_rows(std::vector<Column> parts, Compute<uint8_t> compute);
std::shared_ptr<const RowSource<float>> computed_rows(std::vector<Column> parts, Compute<float> compute);

}  // namespace data
