// Libraries of the system that vaec does not bring along.
#pragma once

/// What libvaert_onnx.so needs, and the packages that contain it.
inline constexpr const char* onnx_system_library = "libonnx.so.1";
inline constexpr const char* onnx_packages = "libonnx1 in Debian 12, libonnx1t64 in Debian 13";
