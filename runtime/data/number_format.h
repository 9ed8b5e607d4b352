// Numbers as files hold them (IDX, NPY, safetensors), decoded to float32.
#pragma once
#include <cstdint>
#include <vector>

namespace data {

enum class NumberFormat { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64 };

int64_t byte_size(NumberFormat format);
/// `count` numbers; the caller sees to it that `bytes` holds them and `to` has placement.
void decode(NumberFormat format, bool big_endian, const uint8_t* bytes, int64_t count, float* to);
std::vector<float> decode(NumberFormat format, bool big_endian, const uint8_t* bytes, int64_t count);

}  // namespace data
