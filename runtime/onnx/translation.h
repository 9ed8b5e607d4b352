// A graph of the image during its translation to ONNX, with the names of the values that are already written.
#pragma once
#include <string>
#include <vector>

#include "runtime/onnx/writer.h"

namespace onnx_export {

/// A value in ONNX. It has its whole shape, or (not `whole`) length 1 in axes along which it does not change.
/// Pointwise operators of ONNX stretch such axes themselves.
struct Written {
  std::string name;
  bool whole = true;
  bool scalar = false;  // written without axes, whatever its shape is
};

struct Noise {
  std::string name, distribution;
  Shape shape;
  uint32_t site = 0;
};

struct Translation {
  const Graph& graph;
  const float* const* parameters;
  Writer writer;
  std::vector<Written> written = {};
  std::vector<Noise> noise = {};

  const Written& operator[](int value) const { return written.at(static_cast<size_t>(value)); }
  /// The name of the value in its whole shape; stretches it if necessary.
  std::string whole(int value);
};

/// Writes all values and outputs of the graph. Throws Refused.
void translate(Translation& translation);

}  // namespace onnx_export
