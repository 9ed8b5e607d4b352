// The table of operations: what each is in ONNX, or that ONNX has none.
#pragma once
#include "runtime/onnx/translation.h"

namespace onnx_export {

/// Writes a value whose inputs are written. Throws Refused naming its operation, std::out_of_range where
/// there is no such operation.
Written write_operation(Translation& translation, const Value& value);

}  // namespace onnx_export
