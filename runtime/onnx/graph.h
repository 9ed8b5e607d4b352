// One graph of the image's `graphs`, read from its JSON: values in dependency order. Where a value depends on
// the row, its axis 0 is -1, the batch.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace onnx_export {

using Shape = std::vector<int64_t>;

/// Why a graph cannot be written in ONNX.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Value {
  std::string op;           // as in operations.def
  std::vector<int> inputs;  // earlier values
  Shape shape;
  std::vector<int64_t> ints;
  std::string name;    // of an input or a parameter
  double number = 0;   // of a constant
  int player = -1;     // of a parameter: its array, and
  int64_t offset = 0;  // where it begins there
  uint32_t site = 0;   // of a random draw
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

/// Throws nlohmann::json::exception or std::out_of_range where the text is malformed.
Graph read_graph(const nlohmann::json& text);

}  // namespace onnx_export
