// The formats of numbers in files (IDX, NPY, safetensors), decoded to float32.
#pragma once
#include <cstdint>
#include <vector>

namespace data {

enum class NumberFormat { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64 };

int64_t byte_size(NumberFormat format);
/// Decodes `count` numbers. The caller makes sure that `bytes` and `to` are long enough.
void decode(NumberFormat format, bool big_endian, const uint8_t* bytes, int64_t count, float* to);
std::vector<float> decode(NumberFormat format, bool big_endian, const uint8_t* bytes, int64_t count);

}  // namespace data
