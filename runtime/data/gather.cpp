#include "runtime/data/gather.h"

#include <algorithm>
#include <array>
#include <cstring>

// This library is built for any processor, so the fastest version of each function is chosen when the program
// starts. Sanitizers run before that choice is possible.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

namespace data {

// Rows are drawn at random from more data than fits in the processor's caches. Each row is therefore
// prefetched while an earlier one is written.
template <typename T>
static inline void prefetch_row(const T* storage, int64_t elements, const int64_t* rows, int64_t i,
                                int64_t n) {
  if (i >= n) return;
  auto begin = reinterpret_cast<const char*>(storage + rows[i] * elements);
  auto bytes = static_cast<int64_t>(elements * sizeof(T));
  for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(begin + at);
}

FOR_EACH_PROCESSOR
void gather_affine(const uint8_t* storage, int64_t elements, const int64_t* rows, int64_t n, Affine affine,
                   float* out) {
  const float scale = affine.scale, offset = affine.offset, low = affine.low, high = affine.high;
  for (int64_t i = 0; i < n; ++i) {
    prefetch_row(storage, elements, rows, i + 2, n);
    const uint8_t* __restrict from = storage + rows[i] * elements;
    float* __restrict to = out + i * elements;
    for (int64_t k = 0; k < elements; ++k) {
      float value = static_cast<float>(static_cast<int>(from[k])) * scale + offset;
      value = value < low ? low : value;
      to[k] = value > high ? high : value;
    }
  }
}

FOR_EACH_PROCESSOR
void gather_levels(const uint8_t* storage, int64_t elements, const int64_t* rows, int64_t n,
                   const float* levels, float* out) {
  for (int64_t i = 0; i < n; ++i) {
    prefetch_row(storage, elements, rows, i + 2, n);
    const uint8_t* __restrict from = storage + rows[i] * elements;
    float* __restrict to = out + i * elements;
    for (int64_t k = 0; k < elements; ++k) to[k] = levels[from[k]];
  }
}

FOR_EACH_PROCESSOR
void gather_reals(const float* storage, int64_t elements, const int64_t* rows, int64_t n, float low,
                  float high, float* out) {
  for (int64_t i = 0; i < n; ++i) {
    prefetch_row(storage, elements, rows, i + 2, n);
    const float* __restrict from = storage + rows[i] * elements;
    float* __restrict to = out + i * elements;
    for (int64_t k = 0; k < elements; ++k) {
      float value = from[k] < low ? low : from[k];
      to[k] = value > high ? high : value;
    }
  }
}

std::vector<uint8_t> packed_bits(const uint8_t* storage, int64_t elements, int64_t rows) {
  const int64_t row_bytes = (elements + 7) / 8;
  std::vector<uint8_t> packed(rows * row_bytes);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < elements; ++k)
      packed[row * row_bytes + k / 8] |= static_cast<uint8_t>((storage[row * elements + k] != 0) << (k % 8));
  return packed;
}

/// For each byte, the values of its eight bits.
static const std::array<std::array<float, 8>, 256> bits_of_byte = [] {
  std::array<std::array<float, 8>, 256> table{};
  for (int byte = 0; byte < 256; ++byte)
    for (int bit = 0; bit < 8; ++bit) table[byte][bit] = static_cast<float>(byte >> bit & 1);
  return table;
}();

void gather_bits(const uint8_t* packed, int64_t elements, const int64_t* rows, int64_t n, float* out) {
  const int64_t whole = elements / 8, row_bytes = (elements + 7) / 8;
  for (int64_t i = 0; i < n; ++i) {
    prefetch_row(packed, row_bytes, rows, i + 4, n);
    const uint8_t* from = packed + rows[i] * row_bytes;
    float* to = out + i * elements;
    for (int64_t k = 0; k < whole; ++k)
      std::memcpy(to + 8 * k, bits_of_byte[from[k]].data(), 8 * sizeof(float));
    for (int64_t k = 8 * whole; k < elements; ++k) to[k] = bits_of_byte[from[whole]][k % 8];
  }
}

template <typename T>
static void one_hot(const T* storage, int64_t elements, const int64_t* rows, int64_t n, int64_t classes,
                    float* out) {
  std::memset(out, 0, n * classes * elements * sizeof(float));
  for (int64_t i = 0; i < n; ++i) {
    const T* from = storage + rows[i] * elements;
    float* to = out + i * classes * elements;
    for (int64_t k = 0; k < elements; ++k) to[static_cast<int64_t>(from[k]) * elements + k] = 1;
  }
}

void gather_one_hot(const uint8_t* storage, int64_t elements, const int64_t* rows, int64_t n, int64_t classes,
                    float* out) {
  one_hot(storage, elements, rows, n, classes, out);
}

void gather_one_hot(const float* storage, int64_t elements, const int64_t* rows, int64_t n, int64_t classes,
                    float* out) {
  one_hot(storage, elements, rows, n, classes, out);
}

}  // namespace data
