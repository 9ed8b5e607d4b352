// A graph of the image on its way to ONNX: what has been written of each of its values.
#pragma once
#include <string>
#include <vector>

#include "runtime/onnx/writer.h"

namespace onnx_export {

/// A value as written: of its shape, or (not whole) with axes of length 1 in places where it does not change.
/// Pointwise operators stretch these themselves.
struct Written {
  std::string name;
  bool whole = true;
  bool scalar = false;  // it has no axes at all, whatever its shape says
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
  /// The name of a value of its whole shape.
  std::string whole(int value);
};

/// Writes all values and outputs of the translation's graph. Throws Refused.
void translate(Translation& translation);

}  // namespace onnx_export
