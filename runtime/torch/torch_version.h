// The differences between the versions of LibTorch that this folder can be built against (1.13 to 2.11). No
// other file may depend on the version.
#pragma once
#include <torch/version.h>

// Streams of LibTorch 2.11 give the driver's handle. In earlier versions only headers of the CUDA toolkit
// gave it.
template <class Stream>
concept HasNativeHandle = requires(const Stream& stream) { stream.native_handle(); };

/// Debian 13's LibTorch 2.6 convolves with oneDNN 3.7, which is wrong if it pads weights
/// (runtime/onednn/onednn_version.h). LibTorch's own convolutions are used in versions 2.0 to 2.6.
constexpr bool onednn_convolves =
    TORCH_VERSION_MAJOR < 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR > 6);
