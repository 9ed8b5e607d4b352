#include "runtime/data/arrays/number_format.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace data {

int64_t byte_size(NumberFormat format) {
  switch (format) {
    case NumberFormat::boolean:
    case NumberFormat::u8:
    case NumberFormat::i8:
      return 1;
    case NumberFormat::u16:
    case NumberFormat::i16:
    case NumberFormat::f16:
    case NumberFormat::bf16:
      return 2;
    case NumberFormat::u32:
    case NumberFormat::i32:
    case NumberFormat::f32:
      return 4;
    default:
      return 8;
  }
}

static float half_to_float(uint16_t half) {
  int exponent = (half >> 10) & 31;
  float mantissa = static_cast<float>(half & 1023);
  float magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                    : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN)
                                     : std::ldexp(mantissa + 1024, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

template <typename Bits, typename Convert>
static void decode_as(bool big_endian, const uint8_t* bytes, int64_t count, float* to, Convert convert) {
  for (int64_t i = 0; i < count; ++i) {
    Bits bits;
    if (big_endian) {
      bits = 0;
      for (size_t k = 0; k < sizeof(Bits); ++k)
        bits = static_cast<Bits>((uint64_t{bits} << 8) | bytes[i * sizeof(Bits) + k]);
    } else {
      std::memcpy(&bits, bytes + i * sizeof(Bits), sizeof(Bits));
    }
    to[i] = convert(bits);
  }
}

void decode(NumberFormat format, bool big_endian, const uint8_t* bytes, int64_t count, float* to) {
  static_assert(std::endian::native == std::endian::little);
  switch (format) {
    case NumberFormat::boolean:
      return decode_as<uint8_t>(false, bytes, count, to, [](uint8_t b) { return b != 0; });
    case NumberFormat::u8:
      return decode_as<uint8_t>(false, bytes, count, to, [](uint8_t b) { return b; });
    case NumberFormat::i8:
      return decode_as<uint8_t>(false, bytes, count, to, [](uint8_t b) { return static_cast<int8_t>(b); });
    case NumberFormat::u16:
      return decode_as<uint16_t>(big_endian, bytes, count, to, [](uint16_t b) { return b; });
    case NumberFormat::i16:
      return decode_as<uint16_t>(big_endian, bytes, count, to,
                                 [](uint16_t b) { return static_cast<int16_t>(b); });
    case NumberFormat::u32:
      return decode_as<uint32_t>(big_endian, bytes, count, to,
                                 [](uint32_t b) { return static_cast<float>(b); });
    case NumberFormat::i32:
      return decode_as<uint32_t>(big_endian, bytes, count, to,
                                 [](uint32_t b) { return static_cast<float>(static_cast<int32_t>(b)); });
    case NumberFormat::u64:
      return decode_as<uint64_t>(big_endian, bytes, count, to,
                                 [](uint64_t b) { return static_cast<float>(b); });
    case NumberFormat::i64:
      return decode_as<uint64_t>(big_endian, bytes, count, to,
                                 [](uint64_t b) { return static_cast<float>(static_cast<int64_t>(b)); });
    case NumberFormat::f16:
      return decode_as<uint16_t>(big_endian, bytes, count, to, half_to_float);
    case NumberFormat::bf16:
      return decode_as<uint16_t>(big_endian, bytes, count, to,
                                 [](uint16_t b) { return std::bit_cast<float>(uint32_t{b} << 16); });
    case NumberFormat::f32:
      return decode_as<uint32_t>(big_endian, bytes, count, to,
                                 [](uint32_t b) { return std::bit_cast<float>(b); });
    case NumberFormat::f64:
      return decode_as<uint64_t>(big_endian, bytes, count, to,
                                 [](uint64_t b) { return static_cast<float>(std::bit_cast<double>(b)); });
  }
}

std::vector<float> decode(NumberFormat format, bool big_endian, const uint8_t* bytes, int64_t count) {
  std::vector<float> values(count);
  decode(format, big_endian, bytes, count, values.data());
  return values;
}

}  // namespace data
