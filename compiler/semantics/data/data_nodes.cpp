// Data as nodes of the graph. Data without noise become a column leaf. Data with noise become operations on
// such leaves.
#include <algorithm>

#include "compiler/semantics/data/data_expression.h"
#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/elementwise.h"

namespace semantics {
namespace {
using nlohmann::json;

/// Image readers give pictures of the variable's size if the file names no size.
void fill_sizes(json& data, const Shape& shape) {
  if (!data.is_structured()) return;
  for (auto& part : data) fill_sizes(part, shape);
  if (!data.is_object() || !data.contains("op") || data.at("op") != "reader" || data.at("name") != "images")
    return;
  if (data.at("args").size() > 1 || data.at("named").contains("size") || shape.size() < 2) return;
  data["named"]["size"] = {shape[shape.size() - 2], shape[shape.size() - 1]};
}

struct NodeMaker {
  VariableId variable;
  Draws& draws;
  Analysis& analysis;
  Build build;
  Shape shape;

  /// `whole`: the data are the variable's own values, apart from noise.
  NodeId node(const json& data, bool whole = true) {
    if (data.at("op") == "number") return build.filled(data.at("value").get<double>(), shape);
    if (!has_noise(data)) return column(data, whole);
    const std::string op = data.at("op");
    whole = whole && (op == "flip" || op == "jitter");
    std::vector<NodeId> inputs;
    for (const json& argument : data.at("args")) inputs.push_back(node(argument, whole));
    if (op == "flip") {
      const NodeId uniform = draw(data.at("noise"), Op::uniform);
      const NodeId other = build.subtract(build.filled(1, shape), inputs[0]);
      return build.pointwise(Op::where, {build.pointwise(Op::less, {uniform, inputs[1]}), other, inputs[0]});
    }
    if (op == "jitter")
      return build.add(inputs[0], build.multiply(inputs[1], draw(data.at("noise"), Op::normal)));
    if (const auto direct = find_op(op)) return build.pointwise(*direct, inputs);
    return analysis.evaluator.call(op, inputs, build.span);
  }

  NodeId draw(int64_t noise, Op op) {
    NodeId& node = draws[{noise, shape}];
    if (!node) node = build.random(op, {}, shape);
    return node;
  }

  NodeId column(const json& expression, bool whole) {
    json data = data_of_variable(expression, analysis.model[variable]);
    std::vector<Column>& columns = analysis.model.columns;
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i].variable == variable && columns[i].expression == data && columns[i].whole == whole)
        return build.leaf(Op::column, static_cast<int32_t>(i), shape);
    columns.push_back({std::move(data), variable, build.span, whole});
    return build.leaf(Op::column, static_cast<int32_t>(columns.size()) - 1, shape);
  }
};

/// Whether the operation always gives 0 or 1.
bool decides(const std::string& name) {
  const auto op = find_op(name);
  return op && is_truth(*op);
}

/// The operands from which the value can come: without the condition of `where` and the strength of noise.
std::vector<json> parts_of(const json& data) {
  const std::string op = data.at("op");
  if (!data.contains("args") || op == "reader") return {};
  const json& arguments = data.at("args");
  if (op == "flip" || op == "jitter") return {arguments.at(0)};
  if (op == "where") return {arguments.at(1), arguments.at(2)};
  return arguments;
}

/// Whether the data are certainly only 0 and 1.
bool is_bits(const json& data) {
  const std::string op = data.at("op");
  if (op == "number") return data.at("value") == 0 || data.at("value") == 1;
  if (decides(op)) return true;
  const bool keeps = op == "flip" || op == "where" || op == "multiply" || op == "minimum" || op == "maximum";
  return keeps && std::ranges::all_of(parts_of(data), is_bits);
}

/// Whether Gaussian noise shows in the value: it is not hidden by a comparison. For counts, rounding hides it
/// too.
bool is_jittered(const json& data, DomainKind kind) {
  const std::string op = data.at("op");
  if (op == "jitter") return true;
  if (!has_noise(data) || decides(op) || (op == "floor" && kind == DomainKind::count)) return false;
  return std::ranges::any_of(parts_of(data), [&](const json& part) { return is_jittered(part, kind); });
}

/// Whether some `flip` takes data that may not be bits.
bool flips_reals(const json& data) {
  if (data.at("op") == "flip" && !is_bits(data.at("args").at(0))) return true;
  return has_noise(data) && std::ranges::any_of(data.at("args"), flips_reals);
}

/// What would work instead of this noise; empty if the noise fits the variable.
std::string other_noise(const json& data, const Domain& domain) {
  switch (domain.kind) {
    case DomainKind::category:
    case DomainKind::simplex:
      return "`flip` fits `binary` variables, `jitter` real ones";
    case DomainKind::binary:
      if (!is_jittered(data, domain.kind)) return "";
      return "`jitter` gives reals: compare, `jitter(data, std) > 0.5`, or flip bits, `flip(data, p)`";
    case DomainKind::count:
      if (!is_jittered(data, domain.kind) && !flips_reals(data)) return "";
      return "noise of counts is a count where it is rounded: `floor(max(jitter(data, std), 0))`";
    case DomainKind::unit:  // 1 - x stays within the domain
      return "";
    default:
      if (!flips_reals(data)) return "";
      return "`flip` takes bits: compare, `flip(data > 0.5, p)`, or add Gaussian noise, `jitter(data, std)`";
  }
}

}  // namespace

bool has_noise(const json& data) {
  if (!data.is_structured()) return false;
  if (data.is_object() && data.contains("noise")) return true;
  for (const auto& part : data)
    if (has_noise(part)) return true;
  return false;
}

json without_noise(const json& data) {
  if (!data.is_structured()) return data;
  if (data.is_object() && data.contains("noise")) return without_noise(data.at("args").at(0));
  json result = data;
  for (json& part : result) part = without_noise(part);
  return result;
}

json data_of_variable(const json& data, const Variable& variable) {
  json result = data;
  fill_sizes(result, variable.shape);
  return result;
}

NodeId node_of_data(const Value& data, VariableId variable, Draws& draws, Analysis& analysis) {
  const Variable& declared = analysis.model[variable];
  if (has_noise(data.data)) {
    if (const std::string help = other_noise(data.data, declared.domain); !help.empty()) {
      analysis.report.add(base::E0613, data.span, declared.name, name_of(declared.domain.kind))
          .note(declared.span, fmt::format("`{}` is declared here", declared.name))
          .help(help);
      return {};
    }
  }
  NodeMaker maker{variable, draws, analysis, {&analysis.model.graph, data.span}, declared.tensor_shape()};
  return maker.node(data.data);
}

}  // namespace semantics
