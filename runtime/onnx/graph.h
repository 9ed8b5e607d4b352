// One graph from the image's `graphs`, read from its JSON. Values are in dependency order. If a value depends
// on the row, its axis 0 is -1, the batch.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace onnx_export {

using Shape = std::vector<int64_t>;

/// Says why a graph cannot be written in ONNX.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Value {
  std::string op;           // name as in operations.def
  std::vector<int> inputs;  // numbers of earlier values
  Shape shape;
  std::vector<int64_t> ints;
  std::string name;    // for an input or a parameter
  double number = 0;   // for a constant
  int player = -1;     // for a parameter: the player whose array it is in
  int64_t offset = 0;  // for a parameter: where it begins in that array
  uint32_t site = 0;   // for a random draw
};

struct Output {
  std::string name;
  int value = -1;
};

struct Graph {
  std::vector<Value> values;
  std::vector<Output> outputs;
  const Value& operator[](int index) const { return values.at(static_cast<size_t>(index)); }
};

/// Throws nlohmann::json::exception or std::out_of_range if the text is malformed.
Graph read_graph(const nlohmann::json& text);

}  // namespace onnx_export
