// The function of libvaert_onnx.so, as plain C: writes graphs of the image (runtime/image.md) as ONNX files.
#pragma once
#include <stddef.h>

enum vaert_onnx_outcome {
  VAERT_ONNX_WRITTEN,
  VAERT_ONNX_REFUSED,       // `text` says why the graph cannot be written as ONNX
  VAERT_ONNX_CANNOT_WRITE,  // `text` has the system's message
  VAERT_ONNX_BROKEN         // the graph is malformed, which is an error in vaec
};

#ifdef __cplusplus
extern "C" {
#endif
/// `graph`: the JSON of one graph, with its `name`, the `version` of vaec and `metadata`, an object of texts.
/// `parameters`: the flat arrays that contain the graph's parameters. Returns a vaert_onnx_outcome.
typedef int vaert_onnx_write_function(const char* graph, size_t graph_size, const float* const* parameters,
                                      const char* path, char* text, size_t text_size);
vaert_onnx_write_function vaert_onnx_write;
#ifdef __cplusplus
}
#endif
