// Operations on whole tables, made once when data are loaded; the same for the same
// seed. Of streamed columns, and of results that `memory` has no space for, the rows' numbers are kept, and
// the rows read when they are needed; what depends on all rows is found in one pass. Failure(bad_data) where
// the table does not admit them.
#pragma once
#include <cstdint>
#include <optional>

#include "runtime/data/table.h"

namespace data {

/// t[begin : end] with Python's meaning: negative numbers count from the end, what lies outside is cut.
Table select_slice(const Table& table, std::optional<int64_t> begin, std::optional<int64_t> end);
/// The rows where the condition, one value per row, is neither 0 nor missing.
Table select_where(const Table& table, const Column& condition, Memory* memory = nullptr);
Table shuffle(const Table& table, uint64_t seed, Memory* memory = nullptr);
/// `n` rows of each class of the column `label`, drawn without replacement, in the order of the table.
Table per_class(const Table& table, int64_t n, uint64_t seed, Memory* memory = nullptr);
/// The rows that `other` does not hold; both have the same columns.
Table without(const Table& table, const Table& other, Memory* memory = nullptr);
/// Row i is the rows i * step to i * step + length - 1, stacked on a new first axis.
Table windows(const Table& table, int64_t length, int64_t step, Memory* memory = nullptr);

}  // namespace data
