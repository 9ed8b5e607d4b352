// A loop's kernel on a GPU as plain data: its name, and what a launch must know.
#pragma once
#include <string>

namespace lower {

/// Parameters: per access a pointer to its first element (loads first, then stores); i64 extents of the
/// space; i64 strides [access][axis]; float scalars; u32 sites; where it has sites, a pointer to {u64 seed,
/// u64 step}; where it reduces, u32 k (2^k threads for a kept element), a pointer to doubles
/// [sums][blocks_y][kept] and one to u32 [blocks_x], zero before and after.
struct DeviceKernel {
  std::string name;
  enum class Mapping { elements, draws, rows, columns } mapping = Mapping::elements;
  unsigned threads = 256;  // of a block, at most; a power of two
  unsigned sums = 0;       // stores that combine
};

const char* name_of(DeviceKernel::Mapping mapping);

}  // namespace lower
