#include "runtime/onnx/writer.h"

#include <cmath>

namespace onnx_export {

namespace {

int64_t count(const Shape& shape) {
  int64_t product = 1;
  for (const int64_t length : shape) product *= length;
  return product;
}

}  // namespace

std::string Writer::add(const char* operation, const Names& inputs,
                        const std::vector<Attribute>& attributes) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(operation);
  for (const std::string& input : inputs) node.add_input(input);
  for (const Attribute& attribute : attributes) {
    onnx::AttributeProto& written = *node.add_attribute();
    written.set_name(attribute.name);
    written.set_type(attribute.single ? onnx::AttributeProto::INT : onnx::AttributeProto::INTS);
    if (attribute.single)
      written.set_i(attribute.ints.at(0));
    else
      for (const int64_t number : attribute.ints) written.add_ints(number);
  }
  node.add_output("value/" + std::to_string(++values_));
  node.set_name("node/" + std::to_string(values_));
  return node.output(0);
}

std::string Writer::scalar(double number) {
  std::string* name = std::isnan(number) ? nullptr : &scalars_[number];  // NaN cannot be a key
  if (name && !name->empty()) return *name;
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name("constant/" + std::to_string(graph_.initializer_size()));
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_float_data(static_cast<float>(number));
  if (name) *name = tensor.name();
  return tensor.name();
}

std::string Writer::integers(const std::vector<int64_t>& numbers) {
  std::string& name = integers_[numbers];
  if (!name.empty()) return name;
  onnx::TensorProto& tensor = *graph_.add_initializer();
  name = "constant/" + std::to_string(graph_.initializer_size());
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(numbers.size()));
  for (const int64_t number : numbers) tensor.add_int64_data(number);
  return name;
}

std::string Writer::floats(const std::string& name, const Shape& shape, const float* numbers) {
  std::string& written = floats_[name];
  if (!written.empty()) return written;
  written = "parameter/" + name;
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(written);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t length : shape) tensor.add_dims(length);
  // Written in the processor's byte order, little-endian, which is also the order of the format.
  tensor.set_raw_data(numbers, static_cast<size_t>(count(shape)) * sizeof(float));
  return written;
}

onnx::ValueInfoProto Writer::describe(const std::string& name, int type, const Shape& shape) const {
  onnx::ValueInfoProto info;
  info.set_name(name);
  onnx::TypeProto_Tensor& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape();
  for (const int64_t length : shape) {
    auto& axis = *tensor.mutable_shape()->add_dim();
    if (length < 0)
      axis.set_dim_param("batch");
    else
      axis.set_dim_value(length);
  }
  return info;
}

std::string Writer::free_name(std::string name) {
  while (!taken_.insert(name).second) name += "_";
  return name;
}

std::string Writer::input(const std::string& name, const Shape& shape) {
  const std::string taken = free_name(name);
  *graph_.add_input() = describe(taken, onnx::TensorProto::FLOAT, shape);
  if (batched_.empty() && !shape.empty() && shape[0] < 0) batched_ = taken;
  return taken;
}

void Writer::output(const std::string& name, const std::string& value, const Shape& shape) {
  const std::string taken = free_name(name);
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type("Identity");
  node.set_name("node/output/" + taken);
  node.add_input(value);
  node.add_output(taken);
  *graph_.add_output() = describe(taken, onnx::TensorProto::FLOAT, shape);
}

std::string Writer::rows() {
  if (!rows_.empty()) return rows_;
  if (batched_.empty()) {
    rows_ = free_name("rows");
    *graph_.add_input() = describe(rows_, onnx::TensorProto::INT64, {1});
  } else {
    rows_ = add("Slice", {add("Shape", {batched_}), integers({0}), integers({1})});
  }
  return rows_;
}

std::string Writer::expand(const std::string& value, const Shape& shape) {
  if (shape.empty() || shape[0] >= 0) return add("Expand", {value, integers(shape)});
  if (shape.size() == 1) return add("Expand", {value, rows()});
  const std::string all =
      add("Concat", {rows(), integers({shape.begin() + 1, shape.end()})}, {{"axis", {0}, true}});
  return add("Expand", {value, all});
}

std::string Writer::to_truth(const std::string& number) {
  return add("Cast", {number}, {{"to", {onnx::TensorProto::BOOL}, true}});
}

std::string Writer::from_truth(const std::string& truth) {
  return add("Cast", {truth}, {{"to", {onnx::TensorProto::FLOAT}, true}});
}

}  // namespace onnx_export
