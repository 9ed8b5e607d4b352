// A function of libvaert_torch.so, as plain C: LibTorch's part in capturing work in a CUDA graph.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
/// Called before (1) and after (0) work is captured in a graph. LibTorch allocates for that work from a pool
/// of its own, which keeps its memory until the process ends, because graphs use it when they are replayed.
/// Returns 1; or 0 if this library was built without CUDA's headers and so cannot ask for such a pool.
/// LibTorch may then give memory back to the driver, when no other is left, while graphs still use it.
int32_t vaert_torch_capture(int32_t begins);
#ifdef __cplusplus
}
#endif
