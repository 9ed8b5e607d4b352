// A loop's kernel on a GPU as plain data: its name, and what is needed to launch it.
#pragma once
#include "runtime/schema/description.h"

namespace lower {

/// The parameters of a kernel, in order:
/// - for each access, a pointer to its first element (loads first, then stores);
/// - i64 extents of the space; i64 strides [access][axis]; float scalars; u32 sites;
/// - if it has sites, a pointer to {u64 seed, u64 step};
/// - if it reduces: u32 k (2^k threads for a kept element), a pointer to doubles [sums][blocks_y][kept], and
///   a pointer to u32 [blocks_x], which are zero before and after.
using schema::DeviceKernel;

}  // namespace lower
