// One graph from the image's `graphs`, read from its JSON. If a value depends on the row, its axis 0 is -1,
// the batch.
#pragma once
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "runtime/schema/graph.h"

namespace onnx_export {

using schema::Graph;
using Shape = std::vector<int64_t>;
using Value = schema::GraphValue;
using Output = schema::GraphOutput;

/// Says why a graph cannot be written in ONNX.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws schema::Malformed or std::out_of_range if the text is malformed.
Graph read_graph(const nlohmann::json& text);

}  // namespace onnx_export
