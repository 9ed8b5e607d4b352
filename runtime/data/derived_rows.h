// Columns whose rows are made, when they are needed, from rows of other columns that stay where they are.
#pragma once
#include <functional>

#include "runtime/data/table.h"

namespace data {

/// Row i is the rows place(i * each) ... place(i * each + each - 1) of `column`, one after the other; its row
/// shape stays for the caller to change.
Column placed_rows(const Column& column, int64_t rows, int64_t each, std::function<int64_t(int64_t)> place);

/// The rows of `first`, then those of `second`, of the same kind and shape.
Column joined_rows(const Column& first, const Column& second);

/// Rows of shape `wanted`: element k is the element places[k] of the row of `column`.
Column rearranged_rows(const Column& column, const Shape& wanted, std::vector<int64_t> places);

/// Rows of float32 or bytes that `compute` writes; `parts` are what it reads.
template <typename T>
using Compute = std::function<void(const int64_t* rows, int64_t n, T* to)>;
std::shared_ptr<const RowSource<uint8_t>> computed_rows(std::vector<Column> parts, Compute<uint8_t> compute);
std::shared_ptr<const RowSource<float>> computed_rows(std::vector<Column> parts, Compute<float> compute);

}  // namespace data
