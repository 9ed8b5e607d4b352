// What differs between the LibTorches that this folder is built against (1.13 to 2.11), and nowhere else.
#pragma once
#include <torch/version.h>

// Streams of LibTorch 2.11 say what the driver calls them; before, only headers of CUDA's toolkit did.
template <class Stream>
concept HasNativeHandle = requires(const Stream& stream) { stream.native_handle(); };
