// How many rows one call of a compiled program takes, if there may be any number of rows.
#pragma once
#include <cstdint>

namespace core {

constexpr int64_t queried_rows_at_once = 256;    // rows of a query; times the chains of each row
constexpr int64_t encoded_rows_at_once = 512;    // rows whose codes are measured
constexpr int64_t generated_rows_at_once = 500;  // rows that are compared with data
/// Rows that the classifier of FD-LeNet takes: it is compiled for this many
constexpr int64_t classified_rows_at_once = 500;

}  // namespace core
