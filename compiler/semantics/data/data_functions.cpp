#include "compiler/semantics/data/data_functions.h"

#include <map>

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
  static const std::map<std::string, DataOperation> unaries = {{"-", {"negate", 1}},
                                                               {"not", {"logical_not", 1}}};
  static const std::map<std::string, DataOperation> binaries = {
      {"+", {"add", 2}},           {"-", {"subtract", 2}},
      {"*", {"multiply", 2}},      {"/", {"divide", 2}},
      {"%", {"modulo", 2}},        {"**", {"power", 2}},
      {"<", {"less", 2}},          {"<=", {"less_equal", 2}},
      {">", {"greater", 2}},       {">=", {"greater_equal", 2}},
      {"==", {"equal", 2}},        {"!=", {"not_equal", 2}},
      {"and", {"logical_and", 2}}, {"or", {"logical_or", 2}}};
  const auto& table = unary ? unaries : binaries;
  const auto found = table.find(text);
  if (found == table.end()) return {};
  return found->second;
}

std::optional<DataOperation> data_elementwise(const std::string& function) {
  static const std::map<std::string, DataOperation> table = {{"relu", {"relu", 1}},
                                                             {"tanh", {"tanh", 1}},
                                                             {"sigmoid", {"sigmoid", 1}},
                                                             {"exp", {"exp", 1}},
                                                             {"log", {"log", 1}},
                                                             {"softplus", {"softplus", 1}},
                                                             {"log1p", {"log1p", 1}},
                                                             {"sqrt", {"sqrt", 1}},
                                                             {"abs", {"abs", 1}},
                                                             {"sin", {"sin", 1}},
                                                             {"cos", {"cos", 1}},
                                                             {"floor", {"floor", 1}},
                                                             {"atan2", {"atan2", 2}},
                                                             {"where", {"where", 3}},
                                                             {"missing", {"missing", 1}},
                                                             {"square", {"square", 1}},
                                                             {"gelu", {"gelu", 1}},
                                                             {"silu", {"silu", 1}},
                                                             {"elu", {"elu", 1, "alpha", 1}},
                                                             {"leaky_relu", {"leaky_relu", 1, "slope", 0.01}},
                                                             {"min", {"minimum", 2, nullptr, 0, true}},
                                                             {"max", {"maximum", 2, nullptr, 0, true}}};
  const auto found = table.find(function);
  if (found == table.end()) return {};
  return found->second;
}

}  // namespace semantics
