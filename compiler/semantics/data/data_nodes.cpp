// Data as nodes of the graph. Data without noise become a column leaf. Data with noise become operations on
// such leaves.
#include <algorithm>

#include "compiler/semantics/data/data_expression.h"
#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/elementwise.h"

namespace semantics {
namespace {
using schema::DataExpression;

/// Image readers give pictures of the variable's size if the file names no size.
void fill_sizes(DataExpression& data, const Shape& shape) {
  if (shape.size() < 2) return;
  const schema::Constant::List size = {{shape[shape.size() - 2]}, {shape.back()}};
  schema::for_each_reader(data, [&](schema::Reader& reader) {
    if (reader.name == "images" && reader.args.size() <= 1)
      reader.named.try_emplace("size", schema::Constant{size});
  });
}

struct NodeMaker {
  VariableId variable;
  Draws& draws;
  Analysis& analysis;
  Build build;
  Shape shape;

  /// `values`: what the data are, apart from noise.
  NodeId node(const DataExpression& data, Column::Values values = Column::Values::own) {
    if (const auto number = schema::number_of(data)) return build.filled(*number, shape);
    if (const auto* noise = data.as<schema::Noise>()) return add_noise(*noise, values);
    const auto* operation = data.as<schema::Elementwise>();
    if (!operation || !has_noise(data)) return column(data, values);
    std::vector<NodeId> inputs;
    for (const DataExpression& argument : operation->args)
      inputs.push_back(node(argument, Column::Values::reals));
    if (const auto direct = find_op(operation->op)) return build.pointwise(*direct, inputs);
    return analysis.evaluator.call(operation->op, inputs, build.span);
  }

  NodeId add_noise(const schema::Noise& noise, Column::Values values) {
    if (noise.op == schema::Noise::Kind::binarize)
      return build.pointwise(
          Op::less, {draw(noise.number, Op::uniform), node(*noise.data, Column::Values::probabilities)});
    const NodeId data = node(*noise.data, values), amount = build.filled(noise.amount, shape);
    if (noise.op == schema::Noise::Kind::jitter)
      return build.add(data, build.multiply(amount, draw(noise.number, Op::normal)));
    const NodeId uniform = draw(noise.number, Op::uniform);
    const NodeId other = build.subtract(build.filled(1, shape), data);
    return build.pointwise(Op::where, {build.pointwise(Op::less, {uniform, amount}), other, data});
  }

  NodeId draw(int64_t noise, Op op) {
    NodeId& node = draws[{noise, shape}];
    if (!node) node = build.random(op, {}, shape);
    return node;
  }

  NodeId column(const DataExpression& expression, Column::Values values) {
    DataExpression data = data_of_variable(expression, analysis.model[variable]);
    std::vector<Column>& columns = analysis.model.columns;
    const auto [entry, fresh] = analysis.leaf_columns.try_emplace({variable, values, schema::text_of(data)},
                                                                  static_cast<int32_t>(columns.size()));
    if (fresh) columns.push_back({std::move(data), variable, build.span, values, {}});
    return build.leaf(Op::column, entry->second, shape);
  }
};

/// Whether the operation always gives 0 or 1.
bool decides(const DataExpression& data) {
  const auto* operation = data.as<schema::Elementwise>();
  const auto direct = operation ? find_op(operation->op) : std::nullopt;
  return direct && is_truth(*direct);
}

/// Whether the data are one of these operations on elements.
bool is_operation(const DataExpression& data, std::initializer_list<const char*> names) {
  const auto* operation = data.as<schema::Elementwise>();
  return operation && std::ranges::count(names, operation->op) > 0;
}

/// The operands from which the value can come: without the condition of `where` and the strength of noise.
std::vector<const DataExpression*> parts_of(const DataExpression& data) {
  std::vector<const DataExpression*> parts;
  if (const auto* noise = data.as<schema::Noise>()) parts.push_back(&*noise->data);
  if (const auto* operation = data.as<schema::Elementwise>())
    for (const DataExpression& part : operation->args) parts.push_back(&part);
  if (is_operation(data, {"where"})) parts.erase(parts.begin());
  return parts;
}

bool all_parts(const DataExpression& data, bool (*holds)(const DataExpression&)) {
  return std::ranges::all_of(parts_of(data), [&](const DataExpression* part) { return holds(*part); });
}

/// Whether the data are certainly only 0 and 1.
bool is_bits(const DataExpression& data) {
  if (const auto number = schema::number_of(data)) return *number == 0 || *number == 1;
  if (const auto* noise = data.as<schema::Noise>())
    return noise->op == schema::Noise::Kind::binarize ||
           (noise->op == schema::Noise::Kind::flip && is_bits(*noise->data));
  return decides(data) ||
         (is_operation(data, {"where", "multiply", "minimum", "maximum"}) && all_parts(data, is_bits));
}

/// Whether Gaussian noise shows in the value: it is not hidden by a comparison. For counts, rounding hides it
/// too.
bool is_jittered(const DataExpression& data, DomainKind kind) {
  const auto* noise = data.as<schema::Noise>();
  if (noise && noise->op == schema::Noise::Kind::jitter) return true;
  if (noise && noise->op == schema::Noise::Kind::binarize) return false;
  if (!has_noise(data) || decides(data) || (is_operation(data, {"floor"}) && kind == DomainKind::count))
    return false;
  return std::ranges::any_of(parts_of(data),
                             [&](const DataExpression* part) { return is_jittered(*part, kind); });
}

/// Whether some `flip` takes data that may not be bits.
bool flips_reals(const DataExpression& data) {
  const auto* noise = data.as<schema::Noise>();
  bool found = noise && noise->op == schema::Noise::Kind::flip && !is_bits(*noise->data);
  schema::for_each_part(data, [&](const DataExpression& part) { found = found || flips_reals(part); });
  return found;
}

/// Whether the values themselves are bits that `binarize` draws.
bool is_binarized(const DataExpression& data) {
  const auto* noise = data.as<schema::Noise>();
  if (noise && noise->op == schema::Noise::Kind::binarize) return true;
  return is_bits(data) &&
         std::ranges::any_of(parts_of(data), [](const DataExpression* part) { return is_binarized(*part); });
}

/// What would work instead of this noise; empty if the noise fits the variable.
std::string other_noise(const DataExpression& data, const Domain& domain) {
  switch (domain.kind) {
    case DomainKind::category:
    case DomainKind::simplex:
      return "`flip` and `binarize` fit `binary` variables, `jitter` real ones";
    case DomainKind::binary:
      if (!is_jittered(data, domain.kind)) return "";
      return "`jitter` gives reals: compare, `jitter(data, std) > 0.5`, or draw bits, `binarize(data)`";
    case DomainKind::count:
      if (!is_jittered(data, domain.kind) && !flips_reals(data)) return "";
      return "noise of counts is a count where it is rounded: `floor(max(jitter(data, std), 0))`";
    case DomainKind::unit:  // a flip gives 1 - x, which stays within the domain
    case DomainKind::positive:
      if (is_binarized(data)) return "`binarize` gives 0 and 1, for `binary` variables";
      if (domain.kind == DomainKind::unit) return "";
      [[fallthrough]];
    default:
      if (!flips_reals(data)) return "";
      return "`flip` takes bits: compare, `flip(data > 0.5, p)`, or add Gaussian noise, `jitter(data, std)`";
  }
}

}  // namespace

bool has_noise(const DataExpression& data) {
  bool found = data.as<schema::Noise>() != nullptr;
  schema::for_each_part(data, [&](const DataExpression& part) { found = found || has_noise(part); });
  return found;
}

DataExpression without_noise(const DataExpression& data) {
  if (const auto* noise = data.as<schema::Noise>()) {
    DataExpression plain = without_noise(*noise->data);
    if (noise->op != schema::Noise::Kind::binarize) return plain;
    return schema::Elementwise{info(Op::greater).name, {std::move(plain), schema::Number{0.5}}};
  }
  DataExpression result = data;
  schema::for_each_part(result, [](DataExpression& part) { part = without_noise(part); });
  return result;
}

DataExpression data_of_variable(const DataExpression& data, const Variable& variable) {
  DataExpression result = data;
  fill_sizes(result, variable.shape);
  return result;
}

NodeId node_of_data(const Value& data, VariableId variable, Draws& draws, Analysis& analysis) {
  const Variable& declared = analysis.model[variable];
  if (has_noise(*data.data)) {
    if (const std::string help = other_noise(*data.data, declared.domain); !help.empty()) {
      analysis.report.add(base::E0613, data.span, declared.name, name_of(declared.domain.kind))
          .note(declared.span, fmt::format("`{}` is declared here", declared.name))
          .help(help);
      return {};
    }
  }
  NodeMaker maker{variable, draws, analysis, {&analysis.model.graph, data.span}, declared.tensor_shape()};
  return maker.node(*data.data);
}

}  // namespace semantics
