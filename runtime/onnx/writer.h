// Nodes, initializers, inputs and outputs of an ONNX graph, by the names of values. Names that it makes
// itself have a slash, which no name of a program has.
#pragma once
#include <onnx/onnx_pb.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/onnx/graph.h"

namespace onnx_export {

/// The operator set that files ask for. In later ones axes of ReduceMax and ReduceMin are an input.
constexpr int64_t operator_set = 13;
constexpr int64_t format_version = 7;  // the first IR of that operator set

using Names = std::vector<std::string>;

struct Attribute {
  std::string name;
  std::vector<int64_t> ints;  // a list, or
  bool single = false;        // the first alone
};

class Writer {
 public:
  explicit Writer(onnx::GraphProto& graph) : graph_(graph) {}

  /// A node with one output: its name.
  std::string add(const char* operation, const Names& inputs, const std::vector<Attribute>& attributes = {});
  std::string scalar(double number);                          // float, of no axes
  std::string integers(const std::vector<int64_t>& numbers);  // int64, one axis
  std::string floats(const std::string& name, const Shape& shape, const float* numbers);
  /// A float tensor of the caller's, under this name or, where that is taken, one like it.
  std::string input(const std::string& name, const Shape& shape);
  void output(const std::string& name, const std::string& value, const Shape& shape);

  std::string to_truth(const std::string& number);   // not 0
  std::string from_truth(const std::string& truth);  // 0 or 1
  /// `value` with each of its axes of length 1 stretched to the shape's.
  std::string expand(const std::string& value, const Shape& shape);

 private:
  /// The batch size, int64 of one axis: that of the first input that has rows; else an input of its own.
  std::string rows();
  std::string free_name(std::string name);
  onnx::ValueInfoProto describe(const std::string& name, int type, const Shape& shape) const;

  onnx::GraphProto& graph_;
  std::set<std::string> taken_;  // names of inputs and outputs
  std::map<double, std::string> scalars_;
  std::map<std::vector<int64_t>, std::string> integers_;
  std::map<std::string, std::string> floats_;
  std::string batched_, rows_;  // an input with rows; their number
  int values_ = 0;
};

}  // namespace onnx_export
