// The loops that write rows of a population as float32: the only part of loading that runs at every step.
#pragma once
#include <cstdint>
#include <vector>

namespace data {

/// value = byte * scale + offset, no nearer to the ends of the domain than `low` and `high`.
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
/// Rows of 0 and 1, eight to a byte, the first in the lowest bit; each row begins a byte.
std::vector<uint8_t> packed_bits(const uint8_t* storage, int64_t elements, int64_t rows);
void gather_bits(const uint8_t* packed, int64_t elements, const int64_t* rows, int64_t n, float* out);
/// Class indices as one-hot floats, class axis first: n * classes * elements floats.
void gather_one_hot(const uint8_t* storage, int64_t elements, const int64_t* rows, int64_t n, int64_t classes,
                    float* out);
void gather_one_hot(const float* storage, int64_t elements, const int64_t* rows, int64_t n, int64_t classes,
                    float* out);

}  // namespace data
