// What differs between the LibTorches that this folder is built against (1.13 to 2.11), and nowhere else.
#pragma once
#include <torch/version.h>

// Streams of LibTorch 2.11 say what the driver calls them; before, only headers of CUDA's toolkit did.
template <class Stream>
concept HasNativeHandle = requires(const Stream& stream) { stream.native_handle(); };

/// Debian 13's LibTorch 2.6 convolves by its oneDNN 3.7, which is wrong where it pads weights
/// (runtime/onednn/onednn_version.h): there LibTorch's own convolutions are taken.
constexpr bool onednn_convolves =
    TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR > 6);
