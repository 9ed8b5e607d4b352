// The model as text: variables, players with their parameters and conditionals, sources, and learn blocks. Of
// the graph, it shows the nodes that these reach, numbered in the order of the graph.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/semantics/graph/dependence.h"
#include "compiler/semantics/model.h"
#include "runtime/shared/printable.h"

namespace semantics {
namespace {

template <class T>
std::string listed(const std::vector<T>& items, auto&& text) {
  std::string result;
  for (const T& item : items) result += (result.empty() ? "" : ", ") + text(item);
  return result;
}

struct Printer {
  const Model& model;
  std::string out;
  std::vector<int> numbers;  // by node: its number, or 0 if it is not reached

  template <class... Arguments>
  void line(int depth, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    out.append(static_cast<size_t>(2 * depth), ' ');
    out += fmt::format(text, std::forward<Arguments>(arguments)...);
    out += '\n';
  }

  std::string node(NodeId id) const {
    if (!id) return "none";
    return fmt::format("%{}", numbers[static_cast<size_t>(id.index)]);
  }
  std::string variable(VariableId id) const { return model[id].name; }

  void number_nodes() {
    numbers.assign(model.graph.nodes.size(), 0);
    const auto reach = [&](NodeId id) {
      if (id) numbers[static_cast<size_t>(id.index)] = 1;
    };
    for (const Conditional& conditional : model.conditionals) {
      for (const NodeId argument : conditional.arguments) reach(argument);
      for (const NodeId root :
           {conditional.log_density, conditional.sample, conditional.mean, conditional.initial})
        reach(root);
    }
    for (const Source& source : model.sources)
      for (const Given& given : source.givens) reach(given.value);
    for (size_t i = numbers.size(); i-- > 0;)
      if (numbers[i])
        for (const NodeId input : model.graph.nodes[i].inputs) numbers[static_cast<size_t>(input.index)] = 1;
    int next = 0;
    for (int& number : numbers)
      if (number) number = ++next;
  }

  void print_declarations() {
    line(0, "model {}", model.name);
    for (const auto& [name, value] : model.params) line(0, "param {} = {}", name, value);
    for (const Variable& variable : model.variables) {
      line(0, "var {} : {}{}", variable.name, text_of(variable.domain),
           variable.shape.empty() ? "" : to_string(variable.shape));
    }
  }

  void print_publication() {
    if (model.publication)
      line(0, "publish {}",
           listed(model.publication->variables, [&](VariableId id) { return variable(id); }));
  }

  void print_conditional(int depth, const Conditional& conditional) {
    const std::string parents = listed(conditional.parents, [&](VariableId id) { return variable(id); });
    line(depth, "{}{} ~ {}({}){}", variable(conditional.target), parents.empty() ? "" : " | " + parents,
         conditional.family, listed(conditional.arguments, [&](NodeId id) { return node(id); }),
         conditional.discrete ? "  discrete" : "");
    line(depth + 1, "log_density {}  sample {}  mean {}  initial {}", node(conditional.log_density),
         node(conditional.sample), node(conditional.mean), node(conditional.initial));
  }

  void print_players() {
    for (const Player& player : model.players) {
      const char* roles[] = {"decoder", "encoder", "player"};
      line(0, "{} {}", roles[static_cast<int>(player.role)], player.name);
      int64_t elements = 0;
      for (const ParameterId id : player.parameters) elements += count(model[id].shape);
      line(1, "{} parameters", elements);
      for (const ParameterId id : player.parameters) print_parameter(model[id]);
      for (const ConditionalId id : player.conditionals) print_conditional(1, model[id]);
    }
  }

  void print_parameter(const Parameter& parameter) {
    const Initial& initial = parameter.initial;
    std::string start;
    switch (initial.kind) {
      case Initial::Kind::constant:
        start = fmt::format("{:.6g}", initial.value);
        break;
      case Initial::Kind::uniform:
        start = fmt::format("uniform {:.6g}", initial.scale);
        break;
      case Initial::Kind::normal:
        start = fmt::format("normal {:.6g}", initial.scale);
        break;
      case Initial::Kind::orthogonal:
        start = fmt::format("orthogonal {:.6g}", initial.scale);
        break;
    }
    line(2, "{} {} = {}", parameter.name, parameter.shape.empty() ? "[]" : to_string(parameter.shape), start);
  }

  void print_sources() {
    for (size_t i = 0; i < model.columns.size(); ++i) {
      const Column& column = model.columns[i];
      line(0, "column {} for {}{} = {}", i, variable(column.variable),
           column.noiseless_source.empty() ? "" : " without the noise of " + column.noiseless_source,
           printable(schema::text_of(column.expression)));
    }
    for (const Source& source : model.sources) {
      line(0, "source {} weight {}", source.name, source.weight);
      for (const Given& given : source.givens) {
        if (given.drawn) {
          print_conditional(1, model[*given.drawn]);
        } else {
          line(1, "{} = {}", variable(given.variable), node(given.value));
        }
      }
      for (const Source::Word& word : source.words)
        line(1, "complete {} ~ {}", variable(word.variable), model[word.player].name);
      if (source.gibbs) line(1, "complete gibbs sweeps {}", source.sweeps);
      for (const ConditionalId start : source.gibbs_starts) print_conditional(2, model[start]);
    }
  }

  void print_learns() {
    for (const Learn& learn : model.learns) {
      line(0, "learn {} as {}", learn.method, learn.name);
      line(1, "steps {}  seed {}  clip {}  order {}  precision {}", learn.steps, learn.seed, learn.clip,
           learn.order, learn.precision);
      for (const auto& [source, batch] : learn.batch) line(1, "batch {} = {}", source, batch);
      for (const auto& [player, optimizer] : learn.optimizers) {
        std::string numbers;
        for (const OptimizerNumber& number : optimizer.word().numbers)
          numbers += fmt::format(" {} {}", number.name, optimizer.numbers.at(std::string(number.name)));
        line(1, "optimizer {} = {}{}", player, optimizer.kind, numbers);
      }
      line(1, "schedule {} warmup {} every {} factor {}", learn.schedule.kind, learn.schedule.warmup,
           learn.schedule.every, learn.schedule.factor);
      for (const auto& [event, steps] : learn.every) line(1, "every {} = {}", event, steps);
      if (!learn.start.empty()) line(1, "start {}", printable(nlohmann::json(learn.start).dump()));
      if (!learn.own.empty()) line(1, "own {}", printable(learn.own.dump()));
    }
  }

  void print_graph() {
    line(0, "graph");
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (!numbers[i]) continue;
      const Node& n = model.graph.nodes[i];
      std::string text = info(n.op).name;
      if (n.op == Op::constant) text += fmt::format(" {}", n.number);
      if (n.op == Op::variable) text += " " + variable({n.index});
      if (is_average(n)) text += " average of";
      if (n.op == Op::parameter) text += " " + model[ParameterId{n.index}].name;
      if (n.op == Op::column) text += fmt::format(" {}", n.index);
      for (const NodeId input : n.inputs) text += " " + node(input);
      if (!n.ints.empty()) text += fmt::format(" {{{}}}", fmt::join(n.ints, ", "));
      line(1, "%{} : [{}] = {}", numbers[i], fmt::join(n.shape, ", "), text);
    }
  }
};

}  // namespace

std::string print(const Model& model) {
  Printer printer{model, {}, {}};
  printer.number_nodes();
  printer.print_declarations();
  printer.print_players();
  printer.print_sources();
  printer.print_publication();
  printer.print_learns();
  printer.print_graph();
  return printer.out;
}

}  // namespace semantics
