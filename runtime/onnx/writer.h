// Writes nodes, initializers, inputs and outputs of an ONNX graph. A name that the writer makes up contains a
// slash, which no name of a program does.
#pragma once
#include <onnx/onnx_pb.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/onnx/graph.h"

namespace onnx_export {

/// The operator set of the files. In later sets the axes of ReduceMax and ReduceMin are an input, not an
/// attribute.
constexpr int64_t operator_set = 13;
constexpr int64_t format_version = 7;  // the first IR version with that operator set

using Names = std::vector<std::string>;

struct Attribute {
  std::string name;
  std::vector<int64_t> ints;  // a list; or, if `single`,
  bool single = false;        // only the first integer
};

class Writer {
 public:
  explicit Writer(onnx::GraphProto& graph) : graph_(graph) {}

  /// Adds a node with one output. Returns the output's name.
  std::string add(const char* operation, const Names& inputs, const std::vector<Attribute>& attributes = {});
  std::string scalar(double number);                          // a float without axes
  std::string integers(const std::vector<int64_t>& numbers);  // an int64 with one axis
  std::string floats(const std::string& name, const Shape& shape, const float* numbers);
  /// Adds a float tensor that the caller of the graph gives. Returns its name: `name`, or a similar one if
  /// that is taken.
  std::string input(const std::string& name, const Shape& shape);
  void output(const std::string& name, const std::string& value, const Shape& shape);

  std::string to_truth(const std::string& number);   // true if the number is not 0
  std::string from_truth(const std::string& truth);  // 0 or 1
  /// Stretches the axes of length 1 in `value` to `shape`.
  std::string expand(const std::string& value, const Shape& shape);

 private:
  /// The batch size, an int64 with one axis. It is read from the first input that has rows; if there is none,
  /// it becomes an input itself.
  std::string rows();
  std::string free_name(std::string name);
  onnx::ValueInfoProto describe(const std::string& name, int type, const Shape& shape) const;

  onnx::GraphProto& graph_;
  std::set<std::string> taken_;  // names of inputs and outputs that are used
  std::map<double, std::string> scalars_;
  std::map<std::vector<int64_t>, std::string> integers_;
  std::map<std::string, std::string> floats_;
  std::string batched_, rows_;  // batched_: an input with rows; rows_: the value of their number
  int values_ = 0;
};

}  // namespace onnx_export
