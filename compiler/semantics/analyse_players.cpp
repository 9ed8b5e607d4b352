// Players. Their statements run in order, with `for` and `if` unrolled. Each conditional's arguments may
// depend only on its listed parents. A reference `p.z(...)` to another player's conditional is evaluated when
// it is needed.
#include <algorithm>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/graph/substitute.h"

namespace semantics {
namespace {
using namespace syntax;

/// The state of one player while it is evaluated.
struct Work {
  const PlayerDecl* decl = nullptr;
  PlayerId id;
  Scope* scope = nullptr;
  enum class State { waiting, open, done } state = State::waiting;
  std::vector<Conditional> conditionals;
  std::map<VariableId, base::Span> targets;  // also targets of conditionals with errors
  std::map<std::string, int> layer_counts;
};

/// Collects the tensors within a value.
void nodes_of(const Value& value, std::vector<NodeId>& nodes) {
  if (value.kind == Value::Kind::tensor) nodes.push_back(value.node);
  for (const Value& item : value.items) nodes_of(item, nodes);
}

struct Players {
  Analysis& analysis;
  std::deque<Work> works;
  int64_t statements = 0;

  const std::string& name_of(VariableId id) const { return analysis.model[id].name; }

  // ---- statements

  void evaluate(Work& work) {
    if (work.state != Work::State::waiting) return;
    work.state = Work::State::open;
    run(work.decl->body, work);
    find_cycle(work);
    work.state = Work::State::done;
    if (work.targets.size() != work.conditionals.size()) analysis.failed_players.insert(work.id);
  }

  void run(const Block& block, Work& work) {
    for (const Statement& statement : block) {
      if (!analysis.count_statement(statements, statement.span)) return;
      if (const auto* assign = std::get_if<Assign>(&statement.kind)) {
        run(*assign, work);
      } else if (const auto* conditional = std::get_if<ConditionalDecl>(&statement.kind)) {
        run(*conditional, statement.span, work);
      } else if (const auto* loop = std::get_if<For>(&statement.kind)) {
        const auto values = loop_values(*loop->range, *work.scope, analysis);
        if (!values) continue;
        for (const Value& value : *values) {
          work.scope->names[loop->variable.text] = value;
          analysis.evaluator.observe(loop->variable.span, value);
          run(loop->body, work);
        }
      } else if (const auto* choice = std::get_if<If>(&statement.kind)) {
        if (const auto taken = chosen(*choice, *work.scope, analysis))
          run(*taken ? choice->then_body : choice->else_body, work);
      } else if (const auto* net = std::get_if<std::unique_ptr<NetDecl>>(&statement.kind)) {
        declare_net(**net, work);
      }
    }
  }

  void run(const Assign& assign, Work& work) {
    const Reference& first = assign.targets[0];
    if (!assign.let && analysis.variables.count(first.name.text)) {
      analysis.report.add(base::E0511, first.span, first.name.text)
          .help("give its distribution, `" + first.name.text + " ~ ...`, or name a new value: `let " +
                first.name.text + " = ...`");
      return;
    }
    const Player& player = analysis.model[work.id];
    analysis.evaluator.bind(assign, *work.scope,
                            {work.id, player.name + "." + first.name.text, &work.layer_counts});
  }

  void declare_net(const NetDecl& net, Work& work) {
    Value value;
    value.kind = Value::Kind::net;
    value.net = &net;
    value.net_scope = work.scope;
    analysis.evaluator.nets.push_back({value.net, value.net_scope});
    value.net_instance = analysis.model[work.id].name + "." + net.name.text;
    value.span = net.name.span;
    work.scope->names[net.name.text] = value;
  }

  // ---- conditionals

  void run(const ConditionalDecl& decl, base::Span span, Work& work) {
    Conditional conditional;
    conditional.player = work.id;
    conditional.span = span;
    conditional.target_span = decl.target.span;
    const auto target = analysis.resolve(decl.target, *work.scope);
    bool good = target.has_value();
    // A wrong or missing index in a target or parent would cause the same error in the arguments.
    const auto is_array = [&](const Reference& reference) {
      return analysis.variables.count(reference.name.text) > 0;
    };
    bool readable = good || !is_array(decl.target);
    std::vector<base::Span> parent_spans;
    for (const Reference& reference : decl.parents) {
      const auto parent = analysis.resolve(reference, *work.scope);
      if (!parent) {
        good = false;
        readable = readable && !is_array(reference);
        continue;
      }
      const auto same = std::find(conditional.parents.begin(), conditional.parents.end(), *parent);
      if (same != conditional.parents.end()) {
        analysis.report.add(base::E0505, reference.span, name_of(*parent))
            .note(parent_spans[static_cast<size_t>(same - conditional.parents.begin())], "it is listed here");
        continue;
      }
      conditional.parents.push_back(*parent);
      parent_spans.push_back(reference.span);
    }
    bool second = false;
    if (target) {
      conditional.target = *target;
      analysis.determined.insert(*target);
      const auto [first, fresh] = work.targets.insert({*target, decl.target.span});
      second = !fresh;
      if (second) {
        analysis.report.add(base::E0501, decl.target.span, name_of(*target), analysis.model[work.id].name)
            .note(first->second, "the first is here")
            .help("let another player give it");
      }
    }
    const ParameterContext context{
        work.id, analysis.model[work.id].name + "." + (target ? name_of(*target) : decl.target.name.text),
        &work.layer_counts};
    if (!good || second) {
      if (readable) analysis.evaluator.check_call(*decl.family, *work.scope, context);
      return;
    }
    if (!analysis.evaluator.expand_family(*decl.family, conditional, *work.scope, context)) return;
    check_parents(decl, conditional, parent_spans, work);
    work.conditionals.push_back(std::move(conditional));
  }

  void check_parents(const ConditionalDecl& decl, const Conditional& conditional,
                     const std::vector<base::Span>& parent_spans, Work& work) {
    std::vector<VariableId> needed;
    for (const NodeId argument : conditional.arguments)
      for (const VariableId id : variables_of(analysis.model.graph, argument))
        if (std::find(needed.begin(), needed.end(), id) == needed.end()) needed.push_back(id);
    const auto lists = [&](VariableId id) {
      return std::find(conditional.parents.begin(), conditional.parents.end(), id) !=
             conditional.parents.end();
    };
    std::vector<std::string> right;
    for (const VariableId id : conditional.parents)
      if (std::find(needed.begin(), needed.end(), id) != needed.end()) right.push_back(name_of(id));
    for (const VariableId id : needed)
      if (!lists(id) && id != conditional.target) right.push_back(name_of(id));
    const std::string list = fmt::format("{} | {}", name_of(conditional.target), fmt::join(right, ", "));
    for (const VariableId id : needed) {
      if (lists(id)) continue;
      const Expr* place = dependent(*decl.family, id, *work.scope);
      // A conditional that has its own target as parent is a cycle of length one.
      if (id == conditional.target) {
        analysis.report
            .add(base::E0504, place ? place->span : decl.family->span, analysis.model[work.id].name,
                 name_of(id) + " → " + name_of(id))
            .label("depends on `" + name_of(id) + "` itself");
        continue;
      }
      analysis.report.add(base::E0502, place ? place->span : decl.family->span, name_of(id))
          .label("depends on `" + name_of(id) + "`")
          .help("list it: `" + list + "`");
    }
    for (size_t i = 0; i < conditional.parents.size(); ++i) {
      const VariableId id = conditional.parents[i];
      if (std::find(needed.begin(), needed.end(), id) != needed.end()) continue;
      auto& warning = analysis.report.add(base::W0503, parent_spans[i], name_of(id));
      warning.label("unused").help("leave it out: `" + (right.empty() ? name_of(conditional.target) : list) +
                                   "`");
    }
  }

  /// The first name or element `z[1]` in the expression whose value depends on the variable.
  const Expr* dependent(const Expr& expr, VariableId id, Scope& scope) {
    if (expr.kind == ExprKind::name || expr.kind == ExprKind::index) {
      const Expr& name = expr.kind == ExprKind::name ? expr : *expr.operands[0];
      const Value* value = name.kind == ExprKind::name ? scope.find(name.text) : nullptr;
      std::vector<NodeId> nodes;
      if (value) nodes_of(*value, nodes);
      if (value && value->kind == Value::Kind::variables && expr.kind == ExprKind::index)
        nodes = element(*value, expr, scope);
      for (const NodeId node : nodes) {
        const auto variables = variables_of(analysis.model.graph, node);
        if (std::find(variables.begin(), variables.end(), id) != variables.end()) return &expr;
      }
    }
    // Skips the function of a call: it is not a tensor, and the `z[1]` of `p.z[1](...)` names a variable of
    // p.
    for (size_t i = expr.kind == ExprKind::call ? 1 : 0; i < expr.operands.size(); ++i)
      if (const Expr* found = dependent(*expr.operands[i], id, scope)) return found;
    for (const Argument& argument : expr.arguments)
      if (const Expr* found = dependent(*argument.value, id, scope)) return found;
    return nullptr;
  }

  /// The element that `z[1]` means; all elements if the index is not a plain number.
  std::vector<NodeId> element(const Value& array, const Expr& expr, Scope& scope) {
    std::vector<NodeId> all;
    nodes_of(array, all);
    if (expr.subscripts.size() != 1 || expr.subscripts[0].slice || !expr.subscripts[0].begin) return all;
    const Value index = analysis.evaluator.constant(*expr.subscripts[0].begin, scope, "an index");
    if (index.kind != Value::Kind::integer || index.integer < 0 ||
        index.integer >= static_cast<int64_t>(all.size()))
      return all;
    return {all[static_cast<size_t>(index.integer)]};
  }

  /// Reports one error if the player's conditionals depend on one another in a ring.
  void find_cycle(const Work& work) {
    std::map<VariableId, const Conditional*> by_target;
    for (const Conditional& conditional : work.conditionals) by_target[conditional.target] = &conditional;
    std::set<VariableId> finished;
    for (const Conditional& conditional : work.conditionals)
      if (visit(conditional.target, by_target, finished, work)) return;
  }

  /// Depth first, with an explicit path: a player can be as deep as a file is long, so recursion could
  /// overflow the stack.
  bool visit(VariableId root, const std::map<VariableId, const Conditional*>& by_target,
             std::set<VariableId>& finished, const Work& work) {
    std::vector<VariableId> path;
    std::vector<size_t> next;  // for each variable on the path: the next parent to visit
    std::set<VariableId> open;
    const auto enter = [&](VariableId id) {
      if (!by_target.contains(id) || finished.contains(id)) return;
      path.push_back(id);
      next.push_back(0);
      open.insert(id);
    };
    enter(root);
    while (!path.empty()) {
      const std::vector<VariableId>& parents = by_target.at(path.back())->parents;
      if (next.back() == parents.size()) {
        finished.insert(path.back());
        open.erase(path.back());
        path.pop_back();
        next.pop_back();
        continue;
      }
      const VariableId parent = parents[next.back()++];
      if (open.contains(parent)) {
        report_ring({std::find(path.begin(), path.end(), parent), path.end()}, by_target, work);
        return true;
      }
      enter(parent);
    }
    return false;
  }

  /// In `ring` each variable stands before its parents. The message shows the reverse order: causes first.
  void report_ring(std::vector<VariableId> ring, const std::map<VariableId, const Conditional*>& by_target,
                   const Work& work) {
    std::reverse(ring.begin(), ring.end());
    const auto first = std::min_element(ring.begin(), ring.end());
    std::rotate(ring.begin(), first, ring.end());
    std::string text;
    for (const VariableId member : ring) text += name_of(member) + " → ";
    text += name_of(ring[0]);
    auto& error =
        analysis.report.add(base::E0504, by_target.at(ring[0])->span, analysis.model[work.id].name, text);
    for (size_t i = 1; i < ring.size(); ++i)
      error.note(by_target.at(ring[i])->span,
                 fmt::format("`{}` depends on `{}` here", name_of(ring[i]), name_of(ring[i - 1])));
    error.help(ring.size() == 1
                   ? "no variable is its own parent"
                   : "split them between two players: a player's own conditionals are drawn parents first");
  }

  // ---- references

  /// `p.z1(z0)`: the arguments of p's conditional for z1, with `inputs` in place of its parents. The
  /// parameters still belong to p. If `averaged`, their moving averages are used instead, and no gradient
  /// flows through them.
  Value refer(PlayerId player, VariableId target, const std::vector<Value>& inputs, bool averaged,
              base::Span at) {
    Work& work = works[static_cast<size_t>(player.index)];
    evaluate(work);
    const std::string full = analysis.model[player].name + "." + name_of(target);
    const auto found = std::find_if(work.conditionals.begin(), work.conditionals.end(),
                                    [&](const Conditional& c) { return c.target == target; });
    if (found == work.conditionals.end()) {
      // The player has this conditional, but with an error that was reported.
      if (work.targets.count(target) && work.state == Work::State::done) return {};
      missing(work, target, full, at);
      return {};
    }
    const Conditional conditional = *found;
    if (inputs.size() != conditional.parents.size()) {
      std::vector<std::string> parents;
      for (const VariableId id : conditional.parents) parents.push_back(name_of(id));
      analysis.report.add(base::E0507, at, full, counted(parents.size(), "input"), inputs.size())
          .note(conditional.span, "the conditional is here")
          .help(
              fmt::format("write `{}({})`",
                          averaged ? "average(" + analysis.model[player].name + ")." + name_of(target) : full,
                          fmt::join(parents, ", ")));
      return {};
    }
    std::map<VariableId, NodeId> replacements;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].kind == Value::Kind::error) return {};
      const Variable& parent = analysis.model[conditional.parents[i]];
      const NodeId node =
          analysis.evaluator.fit(inputs[i], parent.tensor_shape(), parent.name, at, parent.span);
      if (!node) return {};
      replacements[conditional.parents[i]] = node;
    }
    Graph& graph = analysis.model.graph;
    std::vector<NodeId> arguments = conditional.arguments;
    if (averaged)
      arguments = substitute_averages(graph, arguments,
                                      [&](ParameterId id) { return analysis.model[id].owner == player; });
    Value result;
    result.span = at;
    for (const NodeId argument : substitute(graph, arguments, replacements)) {
      Value item;
      item.kind = Value::Kind::tensor;
      item.node =
          averaged ? graph.add({Op::stop, {argument}, graph[argument].shape, {}, 0, -1, at}) : argument;
      item.span = at;
      result.items.push_back(item);
    }
    if (result.items.size() == 1) return Value(result.items[0]);
    result.kind = Value::Kind::tuple;
    return result;
  }

  void missing(const Work& work, VariableId target, const std::string& full, base::Span at) {
    const std::string& player = analysis.model[work.id].name;
    if (work.state == Work::State::open && will_target(work.decl->body, analysis.model[target])) {
      analysis.report.add(base::E0508, at, full)
          .note(work.decl->name.span, fmt::format("`{}` is still being read", player))
          .help("a player may refer to what stands before it, and to players that do not refer back");
      return;
    }
    std::vector<std::string> others;
    for (const Conditional& conditional : work.conditionals) others.push_back(name_of(conditional.target));
    auto& error = analysis.report.add(base::E0506, at, player, name_of(target));
    error.note(work.decl->name.span, fmt::format("`{}` is declared here", player));
    if (!others.empty()) error.help("it gives " + listed(others));
  }

  /// Whether a statement has the variable (or another element of its array) as its target.
  static bool will_target(const Block& block, const Variable& variable) {
    for (const Statement& statement : block) {
      if (const auto* conditional = std::get_if<ConditionalDecl>(&statement.kind)) {
        if (conditional->target.name.text == variable.name.substr(0, variable.name.find('['))) return true;
      } else if (const auto* loop = std::get_if<For>(&statement.kind)) {
        if (will_target(loop->body, variable)) return true;
      } else if (const auto* choice = std::get_if<If>(&statement.kind)) {
        if (will_target(choice->then_body, variable) || will_target(choice->else_body, variable)) return true;
      }
    }
    return false;
  }
};

Role role_of(PlayerDecl::Role role) {
  switch (role) {
    case PlayerDecl::Role::decoder:
      return Role::decoder;
    case PlayerDecl::Role::encoder:
      return Role::encoder;
    case PlayerDecl::Role::player:
      return Role::player;
  }
  return Role::player;
}

}  // namespace

void analyse_players(const Tree& tree, Analysis& analysis) {
  Model& model = analysis.model;
  Players players{analysis, {}, 0};
  for (const Declaration& declaration : tree.declarations) {
    const auto* decl = std::get_if<PlayerDecl>(&declaration.kind);
    if (!decl) continue;
    if (analysis.is_refused(decl->name)) continue;
    const PlayerId id{static_cast<int32_t>(model.players.size())};
    model.players.push_back({decl->name.text, role_of(decl->role), {}, {}, declaration.span});
    Work work;
    work.decl = decl;
    work.id = id;
    work.scope = &analysis.new_scope(&analysis.evaluator.top());
    players.works.push_back(std::move(work));
    Value value;
    value.kind = Value::Kind::player;
    value.integer = id.index;
    value.span = decl->name.span;
    analysis.evaluator.top().names[decl->name.text] = value;
  }
  analysis.evaluator.refer = [&players](PlayerId player, VariableId variable,
                                        const std::vector<Value>& inputs, bool averaged, base::Span at) {
    return players.refer(player, variable, inputs, averaged, at);
  };
  for (Work& work : players.works) players.evaluate(work);
  analysis.evaluator.refer = nullptr;
  for (Work& work : players.works) {
    Player& player = model.players[static_cast<size_t>(work.id.index)];
    for (Conditional& conditional : work.conditionals) {
      player.conditionals.push_back({static_cast<int32_t>(model.conditionals.size())});
      model.conditionals.push_back(std::move(conditional));
    }
  }
  for (size_t i = 0; i < model.parameters.size(); ++i)
    model.players[static_cast<size_t>(model.parameters[i].owner.index)].parameters.push_back(
        {static_cast<int32_t>(i)});
}

}  // namespace semantics
