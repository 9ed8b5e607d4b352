// How many rows one call of a compiled program takes where there may be any number of them.
#pragma once
#include <cstdint>

namespace core {

constexpr int64_t queried_rows_at_once = 256;     // of a query; times the chains of each row
constexpr int64_t encoded_rows_at_once = 512;     // whose codes are measured
constexpr int64_t generated_rows_at_once = 500;   // that are compared with data
constexpr int64_t classified_rows_at_once = 500;  // by the classifier of FD-LeNet: it is compiled for so many

}  // namespace core
