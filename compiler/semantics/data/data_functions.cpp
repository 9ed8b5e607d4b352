#include "compiler/semantics/data/data_functions.h"

#include <map>

#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/graph/elementwise.h"

namespace semantics {
namespace {
using FunctionKind = DataFunction::Kind;
using enum ArgumentKind;

const DataArgument seed{"seed", integer, false};
const DataArgument a_table{"table", data};

const std::vector<DataFunction> functions = {
    {FunctionKind::reader, "mnist", {{"split", split}}, {"image", "label"}},
    {FunctionKind::reader, "fashion_mnist", {{"split", split}}, {"image", "label"}},
    {FunctionKind::reader, "kmnist", {{"split", split}}, {"image", "label"}},
    {FunctionKind::reader, "cifar10", {{"split", split}}, {"image", "label"}},
    {FunctionKind::reader, "idx", {{"path", string}}, {}, MissingValues::unusual},
    {FunctionKind::reader, "npy", {{"path", string}}, {}, MissingValues::usual},
    {FunctionKind::reader, "npz", {{"path", string}, {"name", string}}, {}, MissingValues::usual},
    {FunctionKind::reader,
     "csv",
     {{"path", string},
      {"columns", columns, false},
      {"separator", character, false},
      {"missing", strings, false},
      {"header", boolean, false},
      {"comment", string_or_none, false}},
     {},
     MissingValues::usual},
    {FunctionKind::reader, "sqlite", {{"path", string}, {"query", string}}, {}, MissingValues::usual},
    {FunctionKind::reader,
     "images",
     {{"folder", string}, {"size", sizes, false}, {"gray", boolean, false}},
     {"image", "label"}},
    {FunctionKind::reader, "safetensors", {{"path", string}, {"name", string}}, {}, MissingValues::usual},
    {FunctionKind::reader, "hdf5", {{"path", string}, {"name", string}}, {}, MissingValues::usual},
    {FunctionKind::reader, "glyphs", {{"n", integer}, seed}, {"image", "label", "mask"}},
    {FunctionKind::reader, "moebius", {{"n", integer}, {"dim", integer}, seed}, {"x", "s"}},
    {FunctionKind::reader, "mlp_mixing", {{"n", integer}, {"dim", integer}, seed}, {"x", "s"}},
    {FunctionKind::reader, "figure8", {{"n", integer}, seed}, {"x", "z"}},
    {FunctionKind::reader, "circle", {{"n", integer}, seed}, {"x", "z"}},
    {FunctionKind::reader, "absolute", {{"n", integer}, seed}, {"x", "z"}},
    {FunctionKind::reader, "clusters", {{"n", integer}, seed}, {"x", "z"}},
    {FunctionKind::reader, "spiral_dots", {{"n", integer}, seed}, {"x", "z"}},
    {FunctionKind::reader, "semi_circles", {{"n", integer}, seed}, {"x", "z", "y"}},
    {FunctionKind::reader, "run", {{"file", string}, {"from", string}}, {}},
    {FunctionKind::reader, "peer", {{"name", peer_name}}, {}},
    {FunctionKind::table_operation, "where", {a_table, {"condition", data}}, {}},
    {FunctionKind::table_operation, "shuffle", {a_table, seed}, {}},
    {FunctionKind::table_operation, "per_class", {a_table, {"n", integer}, seed}, {}},
    {FunctionKind::table_operation, "without", {a_table, {"other", data}}, {}},
    {FunctionKind::table_operation, "normalize", {a_table, {"by", data, false}}, {}},
    {FunctionKind::table_operation, "windows", {a_table, {"length", integer}, {"step", integer, false}}, {}},
    {FunctionKind::noise, "flip", {{"x", data}, {"p", real}}, {}},
    {FunctionKind::noise, "binarize", {{"p", data}}, {}},
    {FunctionKind::noise, "jitter", {{"x", data}, {"std", real}}, {}},
};

}  // namespace

const DataFunction* find_data_function(const std::string& name) {
  for (const DataFunction& function : functions)
    if (function.name == name) return &function;
  return nullptr;
}

std::vector<std::string> data_function_names() {
  std::vector<std::string> names;
  for (const DataFunction& function : functions) names.push_back(function.name);
  return names;
}

std::optional<DataOperation> data_operator(const std::string& text, bool unary) {
  const auto op = find_operator(text, unary ? Notation::Kind::prefix : Notation::Kind::infix);
  if (!op) return {};
  return DataOperation{info(*op).name, info(*op).inputs};
}

std::optional<DataOperation> data_elementwise(const std::string& function) {
  static const std::map<std::string, DataOperation> table = [] {
    std::map<std::string, DataOperation> result = {{"missing", {"missing", 1}}};
    for (const Elementwise& operation : elementwise_operations()) {
      const Notation& notation = operation.notation;
      const OpInfo& op = info(operation.op);
      if (notation.kind == Notation::Kind::function)
        result[notation.name] = {op.name, op.inputs, "", 0, notation.folds()};
    }
    for (const Composed& composed : composed_functions()) {
      DataOperation& operation = result[composed.name] = {composed.name, 0, "", composed.otherwise};
      for (const auto& parameter : signature_of({composed.name, composed.parameters, nullptr}).parameters)
        if (parameter.optional)
          operation.parameter = parameter.name;
        else
          ++operation.operands;
    }
    return result;
  }();
  const auto found = table.find(function);
  if (found == table.end()) return {};
  return found->second;
}

}  // namespace semantics
