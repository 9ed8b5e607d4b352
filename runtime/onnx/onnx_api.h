// What libvaert_onnx.so gives, as plain C: graphs of the image (runtime/image.md) as files in ONNX's format.
#pragma once
#include <stddef.h>

/// What the library needs, and the packages that have it.
#define VAERT_ONNX_SYSTEM_LIBRARY "libonnx.so.1"
#define VAERT_ONNX_PACKAGES "libonnx1 in Debian 12, libonnx1t64 in Debian 13"

enum vaert_onnx_outcome {
  VAERT_ONNX_WRITTEN,
  VAERT_ONNX_REFUSED,       // `text` says why there can be no such file
  VAERT_ONNX_CANNOT_WRITE,  // `text` has the system's cause
  VAERT_ONNX_BROKEN         // the graph is malformed: an error of vaec
};

#ifdef __cplusplus
extern "C" {
#endif
/// `graph`: the JSON of one graph, with its `name`, the `version` of vaec and `metadata`, an object of texts.
/// `parameters`: the flat arrays that the graph's parameters lie in. Gives a vaert_onnx_outcome.
typedef int vaert_onnx_write_function(const char* graph, size_t graph_size, const float* const* parameters,
                                      const char* path, char* text, size_t text_size);
vaert_onnx_write_function vaert_onnx_write;
#ifdef __cplusplus
}
#endif
