// The table of operations: how each one is written in ONNX, or that ONNX does not have it.
#pragma once
#include "runtime/onnx/translation.h"

namespace onnx_export {

/// Writes a value whose inputs are already written. Throws Refused, naming the operation, if ONNX does not
/// have it, and std::out_of_range if there is no such operation.
Written write_operation(Translation& translation, const Value& value);

}  // namespace onnx_export
