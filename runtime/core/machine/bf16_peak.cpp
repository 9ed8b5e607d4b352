#include <cstdint>
#include <cstring>

#include "runtime/core/machine/peaks.h"
#ifdef __x86_64__
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace core {

#ifdef __x86_64__
namespace {

// Independent chains hide the latency of the instructions. All their values are zero.

__attribute__((target("avx512f,avx512bf16"))) double chains_of_vectors(int64_t turns) {
  __m512 sums[12] = {};
  const __m512bh operand = {};
  for (int64_t turn = 0; turn < turns; ++turn)
    for (__m512& sum : sums) {
      sum = _mm512_dpbf16_ps(sum, operand, operand);
      asm volatile("" : "+v"(sum));
    }
  return 12.0 * static_cast<double>(turns) * 64;
}

/// The layout of tiles 0 to 7: 16 rows of 64 bytes each.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
// Not inside the function: g++ 12 assumes that the instruction which loads the shapes reads only their first
// 8 bytes.
constexpr TileShapes shapes;

__attribute__((target("amx-tile,amx-bf16"))) double chains_of_tiles(int64_t turns) {
  _tile_loadconfig(&shapes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  for (int64_t turn = 0; turn < turns; ++turn) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  _tile_release();
  return 4.0 * static_cast<double>(turns) * 2 * 16 * 16 * 32;
}

/// Linux gives the registers of the tiles only to a process that asks for them.
bool may_use_tiles() {
  constexpr int request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return __builtin_cpu_supports("amx-bf16") && syscall(SYS_arch_prctl, request, tile_data) == 0;
}

}  // namespace

BusyLoop bf16_chains() {
  if (may_use_tiles()) return {chains_of_tiles, 5000};
  if (__builtin_cpu_supports("avx512bf16")) return {chains_of_vectors, 20000};
  return {};
}
#else
BusyLoop bf16_chains() { return {}; }
#endif

}  // namespace core
