// The loops that write rows of a population as float32. They are the only part of loading data that runs at
// every step.
#pragma once
#include <cstdint>
#include <vector>

namespace data {

/// value = byte * scale + offset, limited to the range from `low` to `high`.
struct Affine {
  float scale = 1, offset = 0, low, high;
};

/// `rows` gives n rows of `elements` values each; `out` takes n * elements floats.
void gather_affine(const uint8_t* storage, int64_t elements, const int64_t* rows, int64_t n, Affine affine,
                   float* out);
void gather_levels(const uint8_t* storage, int64_t elements, const int64_t* rows, int64_t n,
                   const float* levels, float* out);
void gather_reals(const float* storage, int64_t elements, const int64_t* rows, int64_t n, float low,
                  float high, float* out);
/// Packs rows of 0 and 1, eight values to a byte, the first value in the lowest bit. Each row starts at a new
/// byte.
std::vector<uint8_t> packed_bits(const uint8_t* storage, int64_t elements, int64_t rows);
void gather_bits(const uint8_t* packed, int64_t elements, const int64_t* rows, int64_t n, float* out);
/// Class indices as one-hot floats, class axis first: n * classes * elements floats.
void gather_one_hot(const uint8_t* storage, int64_t elements, const int64_t* rows, int64_t n, int64_t classes,
                    float* out);
void gather_one_hot(const float* storage, int64_t elements, const int64_t* rows, int64_t n, int64_t classes,
                    float* out);

}  // namespace data
