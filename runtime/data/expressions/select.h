// Operations on whole tables, done once when data are loaded; the same seed gives the same result. If a
// column is streamed, or `memory` has no space for the result, only the numbers of the chosen rows are kept
// and the rows are read when they are needed. An operation that depends on all rows reads them once.
// Failure(bad_data) if the operation is not possible on the table.
#pragma once
#include <cstdint>
#include <optional>

#include "runtime/data/table.h"

namespace data {

/// t[begin : end] as in Python: a negative number counts from the end, and rows outside of the table are
/// ignored.
Table select_slice(const Table& table, std::optional<int64_t> begin, std::optional<int64_t> end);
/// The rows where the condition, one value per row, is neither 0 nor missing.
Table select_where(const Table& table, const Column& condition, Memory* memory = nullptr);
Table shuffle(const Table& table, uint64_t seed, Memory* memory = nullptr);
/// `n` rows of each class of the column `label`, drawn without replacement, in the order of the table.
Table per_class(const Table& table, int64_t n, uint64_t seed, Memory* memory = nullptr);
/// The rows that do not occur in `other`. Both tables must have the same columns.
Table without(const Table& table, const Table& other, Memory* memory = nullptr);
/// Row i consists of the rows i * step to i * step + length - 1, stacked along a new first axis.
Table windows(const Table& table, int64_t length, int64_t step, Memory* memory = nullptr);

}  // namespace data
