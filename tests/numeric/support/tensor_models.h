// Small hand-made models and games for the tests of tensor/. The calls here build what semantics and game
// would make of a file.
#pragma once
#include <cmath>
#include <random>
#include <string>

#include "compiler/game/game.h"
#include "compiler/tensor/build/build_step.h"
#include "compiler/tensor/interpret.h"
#include "compiler/tensor/program.h"

namespace tensor_models {

using semantics::NodeId;
using semantics::Op;
using semantics::Shape;
using semantics::VariableId;

class ModelMaker {
 public:
  semantics::Model model;
  game::Game game;

  VariableId variable(const std::string& name, Shape shape,
                      semantics::DomainKind kind = semantics::DomainKind::binary) {
    semantics::Variable v;
    v.name = name;
    v.domain = {kind, 0};
    v.shape = std::move(shape);
    model.variables.push_back(v);
    return {static_cast<int32_t>(model.variables.size()) - 1};
  }
  int player(const std::string& name) {
    semantics::Player p;
    p.name = name;
    model.players.push_back(p);
    return static_cast<int>(model.players.size()) - 1;
  }
  NodeId node(Op op, std::vector<NodeId> inputs, Shape shape, std::vector<int64_t> ints = {}) {
    semantics::Node n;
    n.op = op;
    n.inputs = std::move(inputs);
    n.shape = std::move(shape);
    n.ints = std::move(ints);
    return model.graph.add(n);
  }
  const Shape& shape(NodeId id) const { return model.graph[id].shape; }
  NodeId constant(double number, Shape to = {}) {
    semantics::Node n;
    n.op = Op::constant;
    n.number = number;
    const NodeId scalar = model.graph.add(n);
    return to.empty() ? scalar : node(Op::broadcast, {scalar}, to);
  }
  NodeId value_of(VariableId id) {
    semantics::Node n;
    n.op = Op::variable;
    n.index = id.index;
    n.shape = model[id].shape;
    return model.graph.add(n);
  }
  NodeId parameter(int player, Shape shape) {
    semantics::Parameter p;
    p.name = model.players[static_cast<size_t>(player)].name + "." + std::to_string(model.parameters.size());
    p.shape = shape;
    p.owner = {player};
    model.parameters.push_back(p);
    const auto index = static_cast<int32_t>(model.parameters.size()) - 1;
    model.players[static_cast<size_t>(player)].parameters.push_back({index});
    semantics::Node n;
    n.op = Op::parameter;
    n.index = index;
    n.shape = std::move(shape);
    return model.graph.add(n);
  }
  NodeId pointwise(Op op, NodeId a) { return node(op, {a}, Shape(shape(a))); }
  NodeId pointwise(Op op, NodeId a, NodeId b) { return node(op, {a, b}, Shape(shape(a))); }

  NodeId dense(int player, NodeId x, int64_t n, bool bias = true) {
    const NodeId y = node(Op::dense, {x, parameter(player, {n, semantics::count(shape(x))})}, {n});
    return bias ? pointwise(Op::add, y, parameter(player, {n})) : y;
  }
  NodeId channel_bias(int player, NodeId y) {
    const Shape to = shape(y);
    const NodeId bias = node(Op::reshape, {parameter(player, {to[0]})}, {to[0], 1, 1});
    return pointwise(Op::add, y, node(Op::broadcast, {bias}, to));
  }
  NodeId conv(int player, NodeId x, int64_t channels, int64_t kernel, int64_t stride = 1,
              int64_t padding = 0) {
    const Shape from = shape(x);
    auto length = [&](int64_t n) { return (n + 2 * padding - kernel) / stride + 1; };
    const NodeId weights = parameter(player, {channels, from[0], kernel, kernel});
    return channel_bias(player, node(Op::conv, {x, weights}, {channels, length(from[1]), length(from[2])},
                                     {stride, stride, padding, padding}));
  }
  NodeId deconv(int player, NodeId x, int64_t channels, int64_t kernel, int64_t stride = 1,
                int64_t padding = 0) {
    const Shape from = shape(x);
    auto length = [&](int64_t n) { return (n - 1) * stride - 2 * padding + kernel; };
    const NodeId weights = parameter(player, {from[0], channels, kernel, kernel});
    return channel_bias(player, node(Op::deconv, {x, weights}, {channels, length(from[1]), length(from[2])},
                                     {stride, stride, padding, padding}));
  }

  semantics::ConditionalId add(semantics::Conditional conditional) {
    model.conditionals.push_back(std::move(conditional));
    const semantics::ConditionalId id{static_cast<int32_t>(model.conditionals.size()) - 1};
    const int player = model.conditionals.back().player.index;
    if (player >= 0) model.players[static_cast<size_t>(player)].conditionals.push_back(id);
    return id;
  }
  /// Bernoulli with these logits (any shape with the right number of elements). Log-density: the sum of x l -
  /// softplus(l).
  semantics::ConditionalId bernoulli(int player, VariableId target, std::vector<VariableId> parents,
                                     NodeId logits) {
    const Shape to = model[target].shape;
    if (shape(logits) != to) logits = node(Op::reshape, {logits}, to);
    std::vector<int64_t> axes;
    for (size_t i = 0; i < to.size(); ++i) axes.push_back(static_cast<int64_t>(i));
    semantics::Conditional c;
    c.target = target;
    c.parents = std::move(parents);
    c.player = {player};
    c.arguments = {logits};
    const NodeId density = pointwise(Op::subtract, pointwise(Op::multiply, logits, value_of(target)),
                                     pointwise(Op::softplus, logits));
    c.log_density = node(Op::sum, {density}, {}, axes);
    c.mean = pointwise(Op::sigmoid, logits);
    c.sample = pointwise(Op::less, node(Op::uniform, {}, to), c.mean);
    c.initial = pointwise(Op::less, node(Op::uniform, {}, to), constant(0.5, to));
    return add(std::move(c));
  }
  /// Normal with this mean, which has the target's shape, and one log-std for all elements.
  semantics::ConditionalId normal(int player, VariableId target, std::vector<VariableId> parents, NodeId mean,
                                  NodeId log_std) {
    const Shape to = model[target].shape;
    std::vector<int64_t> axes;
    for (size_t i = 0; i < to.size(); ++i) axes.push_back(static_cast<int64_t>(i));
    const NodeId spread = node(Op::broadcast, {log_std}, to);
    const NodeId precision = pointwise(Op::exp, pointwise(Op::multiply, constant(-2, to), spread));
    const NodeId x = value_of(target);
    const NodeId linear = pointwise(Op::multiply, pointwise(Op::multiply, mean, precision), x);
    const NodeId square = pointwise(Op::multiply, pointwise(Op::multiply, precision, constant(-0.5, to)),
                                    pointwise(Op::multiply, x, x));
    const NodeId partition = pointwise(
        Op::add,
        pointwise(Op::multiply,
                  pointwise(Op::multiply, constant(0.5, to), pointwise(Op::multiply, mean, mean)), precision),
        spread);
    semantics::Conditional c;
    c.target = target;
    c.parents = std::move(parents);
    c.player = {player};
    c.arguments = {mean, log_std};
    c.log_density =
        node(Op::sum, {pointwise(Op::subtract, pointwise(Op::add, linear, square), partition)}, {}, axes);
    c.mean = mean;
    c.sample = pointwise(Op::add, mean,
                         pointwise(Op::multiply, pointwise(Op::exp, spread), node(Op::normal, {}, to)));
    c.initial = node(Op::normal, {}, to);
    return add(std::move(c));
  }
  /// A source that observes each of `observed` as a column greater than 0.4375, and draws each of `drawn`
  /// from fair coins.
  int source(const std::string& name, std::vector<VariableId> observed, std::vector<VariableId> drawn) {
    semantics::Source s;
    s.name = name;
    for (VariableId v : observed) {
      semantics::Column column;
      column.variable = v;
      model.columns.push_back(column);
      semantics::Node n;
      n.op = Op::column;
      n.index = static_cast<int32_t>(model.columns.size()) - 1;
      n.shape = model[v].shape;
      const NodeId gathered = model.graph.add(n);
      s.givens.push_back({v, pointwise(Op::greater, gathered, constant(0.4375, model[v].shape)), {}, {}});
    }
    for (VariableId v : drawn)
      s.givens.push_back({v, {}, bernoulli(-1, v, {}, constant(0, model[v].shape)), {}});
    model.sources.push_back(std::move(s));
    const int index = static_cast<int>(model.sources.size()) - 1;
    game::SourceGame given;
    given.source = {index};
    given.known = observed;
    given.known.insert(given.known.end(), drawn.begin(), drawn.end());
    game.sources.push_back(given);
    return index;
  }
  void completes(int source, semantics::ConditionalId conditional) {
    game::Completion completion;
    completion.draws = {{conditional, false}};
    game.sources[static_cast<size_t>(source)].completions.push_back(completion);
  }
  void term(int source, semantics::ConditionalId conditional) {
    game.sources[static_cast<size_t>(source)].terms.push_back(conditional);
  }
  semantics::Learn learn() const {
    semantics::Learn result;
    result.method = result.name = "symmetric";
    for (size_t s = 0; s < model.sources.size(); ++s) result.sources.push_back({static_cast<int32_t>(s)});
    return result;
  }
};

/// p: x | z, q: z | x; sources of x and of z. Layers are given as functions of (maker, player, input).
template <class Decoder, class Encoder>
ModelMaker two_players(Shape image, Shape code, Decoder decoder, Encoder encoder) {
  ModelMaker m;
  const VariableId x = m.variable("x", image), z = m.variable("z", code);
  const int p = m.player("p"), q = m.player("q");
  const auto px = m.bernoulli(p, x, {z}, decoder(m, p, m.value_of(z)));
  const auto qz = m.bernoulli(q, z, {x}, encoder(m, q, m.value_of(x)));
  const int images = m.source("images", {x}, {}), codes = m.source("codes", {}, {z});
  m.completes(images, qz);
  m.term(images, px);
  m.completes(codes, px);
  m.term(codes, qz);
  return m;
}

/// examples/digits with these widths.
inline ModelMaker digits(int64_t side = 28, int64_t hidden = 512, int64_t code = 64) {
  auto mlp = [hidden](int64_t output) {
    return [hidden, output](ModelMaker& m, int player, NodeId input) {
      return m.dense(player, m.pointwise(Op::relu, m.dense(player, input, hidden)), output);
    };
  };
  return two_players({side, side}, {code}, mlp(side * side), mlp(code));
}

/// Random numbers for everything that the programs read: `rows` rows per batch class, parameters from N(0,
/// 0.3^2).
inline tensor::Inputs random_inputs(const semantics::Model& model,
                                    const std::vector<tensor::Program>& programs, int64_t rows) {
  std::mt19937 generator(7);
  std::normal_distribution<double> normal(0, 0.3);
  std::uniform_real_distribution<double> uniform(0, 1);
  tensor::Inputs inputs;
  inputs.seed = 11, inputs.step = 3;
  for (size_t p = 0; p < model.players.size(); ++p) {
    const auto elements = tensor::parameter_layout(model, {static_cast<int32_t>(p)}).elements;
    auto& flat = inputs.parameters.emplace_back(static_cast<size_t>(elements));
    for (double& value : flat) value = normal(generator);
  }
  for (size_t s = 0; s < std::max<size_t>(model.sources.size(), 1); ++s)
    inputs.coefficients.push_back(0.25 + static_cast<double>(s));
  for (const tensor::Program& program : programs) {
    inputs.rows.resize(std::max(inputs.rows.size(), program.batches.size()), rows);
    for (const tensor::Value& value : program.values) {
      if (value.op != tensor::Op::column && value.op != tensor::Op::input) continue;
      tensor::Numbers numbers(static_cast<size_t>(rows * tensor::row_elements(value.shape)));
      for (double& number : numbers) number = uniform(generator);
      if (value.op == tensor::Op::column)
        inputs.columns.try_emplace({value.index, static_cast<int>(value.ints[0])}, numbers);
      if (value.op == tensor::Op::input) inputs.values.try_emplace(value.name, numbers);
    }
  }
  return inputs;
}

/// The last program of each phase. If no source needs a chain, a phase has no other program.
inline std::vector<tensor::Program> phase_programs(const semantics::Model& model, const game::Game& game,
                                                   const semantics::Learn& learn, bool simultaneous) {
  std::vector<tensor::Program> programs;
  for (tensor::Phase& phase : tensor::build_phases(model, game, learn, simultaneous))
    programs.push_back(std::move(phase.program));
  return programs;
}

}  // namespace tensor_models
