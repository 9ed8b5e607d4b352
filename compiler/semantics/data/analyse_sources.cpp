// Sources: what each gives (`x = data` and `z ~ Family(constants)`), its weight, and what it says about the
// completion of the other variables.
#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/data/data_expression.h"
#include "compiler/semantics/data/data_functions.h"
#include "compiler/semantics/expressions/evaluation.h"

namespace semantics {
namespace {
using namespace syntax;
using schema::DataExpression;

bool is_number_but(const DataExpression& operand, double excluded) {
  const auto number = schema::number_of(operand);
  return number && *number != excluded;
}

/// Whether the operation has no result for some finite operands. The value is then missing.
bool may_be_undefined(const schema::Elementwise& operation) {
  const std::string& op = operation.op;
  if (op == "divide" || op == "modulo") return !is_number_but(operation.args.at(1), 0);
  if (op == "power") {
    const auto exponent = schema::number_of(operation.args.at(1));
    return !exponent || *exponent != std::floor(*exponent);
  }
  return op == "log" || op == "log1p" || op == "sqrt";
}

/// Whether a data expression reads a file in which values may be missing, or computes values that may be
/// undefined.
MissingValues missing_values_of(const DataExpression& expression) {
  MissingValues found = MissingValues::never;
  if (const auto* reader = expression.as<schema::Reader>()) {
    const DataFunction* function = find_data_function(reader->name);
    return function ? function->missing : found;
  }
  if (const auto* operation = expression.as<schema::Elementwise>()) {
    if (operation->op == "missing") return found;
    if (may_be_undefined(*operation)) found = MissingValues::unusual;
  }
  schema::for_each_part(
      expression, [&](const DataExpression& part) { found = std::max(found, missing_values_of(part)); });
  return found;
}

/// The names of the peers whose rows an expression reads. The name "" stands for all other tables.
std::set<std::string> tables_of(const DataExpression& expression) {
  std::set<std::string> found;
  schema::for_each_reader(
      expression, [&](const schema::Reader& reader) { found.insert(schema::peer_of(reader).value_or("")); });
  return found;
}

struct SourceReader {
  Analysis& analysis;
  Source& source;
  Scope& scope;
  std::map<VariableId, base::Span> given;  // also variables whose value has an error
  Draws draws;
  // Each `complete`, with the names that were known at its place.
  std::vector<std::pair<const Complete*, std::map<std::string, Value>>> completions;
  int64_t statements = 0;

  const std::string& name_of(VariableId id) const { return analysis.model[id].name; }

  void read(const SourceDecl& decl) {
    if (decl.weight) read_weight(*decl.weight);
    run(decl.body);
    // `complete` is read after all given values, so that its place among them does not matter.
    for (auto& [complete, names] : completions) {
      scope.names = std::move(names);
      read_complete(*complete);
    }
    require_one_table_of_a_peer();
  }

  /// A source that takes rows of a peer must not take rows of another table: the rows do not belong together.
  void require_one_table_of_a_peer() const {
    std::map<std::string, base::Span> tables;  // a peer's name, or "" for other tables
    for (const Given& given : source.givens)
      if (!given.drawn) collect_tables(given.value, given.span, tables);
    const auto peer = std::ranges::find_if(tables, [](const auto& entry) { return !entry.first.empty(); });
    if (peer == tables.end() || tables.size() == 1) return;
    const auto other = std::ranges::find_if(tables, [&](const auto& entry) { return entry != *peer; });
    const std::string what = other->first.empty() ? "of another table" : "of peer `" + other->first + "`";
    analysis.report.add(base::E0616, other->second, source.name, peer->first, what)
        .note(peer->second, "rows of the peer are taken here")
        .help("rows of two tables do not belong together: give each a source of its own");
  }

  void collect_tables(NodeId node, base::Span at, std::map<std::string, base::Span>& tables) const {
    const Node& value = analysis.model.graph[node];
    if (value.op == Op::column)
      for (const std::string& name : tables_of(analysis.model[ColumnId{value.index}].expression))
        tables.emplace(name, at);
    for (const NodeId input : value.inputs) collect_tables(input, at, tables);
  }

  /// Runs the statements in order, with `for` and `if` unrolled.
  void run(const Block& block) {
    for (const Statement& statement : block) {
      if (!analysis.count_statement(statements, statement.span)) return;
      if (const auto* assign = std::get_if<Assign>(&statement.kind)) {
        if (assign->let) {
          bind_data(*assign, scope, analysis);
        } else {
          observe(*assign, statement.span);
        }
      } else if (const auto* conditional = std::get_if<ConditionalDecl>(&statement.kind)) {
        draw(*conditional, statement.span);
      } else if (const auto* loop = std::get_if<For>(&statement.kind)) {
        run(*loop);
      } else if (const auto* choice = std::get_if<If>(&statement.kind)) {
        if (const auto taken = chosen(*choice, scope, analysis))
          run(*taken ? choice->then_body : choice->else_body);
      } else if (const auto* complete = std::get_if<Complete>(&statement.kind)) {
        completions.push_back({complete, scope.names});
      }
    }
  }

  void run(const For& loop) {
    const auto values = loop_values(*loop.range, scope, analysis);
    if (!values) return;
    for (const Value& value : *values) {
      scope.names[loop.variable.text] = value;
      run(loop.body);
    }
  }

  void read_weight(const Expr& expr) {
    const auto weight = analysis.number(expr, scope, "a weight");
    if (!weight) return;
    if (*weight < 0 || !std::isfinite(*weight)) {
      analysis.report.add(base::E0301, expr.span, "a weight", "0 or more", fmt::format("{}", *weight));
      return;
    }
    source.weight = *weight;
  }

  /// False if another line of the source gives the variable.
  bool claim(VariableId variable, base::Span at) {
    analysis.determined.insert(variable);
    const auto [first, fresh] = given.insert({variable, at});
    if (fresh) return true;
    analysis.report.add(base::E0601, at, name_of(variable), source.name)
        .note(first->second, "it is given here first");
    return false;
  }

  void observe(const Assign& assign, base::Span span) {
    if (assign.tuple) {
      // The parser has refused tuples here; their variables count as given.
      for (const Reference& target : assign.targets)
        if (const auto variable = analysis.resolve(target, scope)) claim(*variable, target.span);
      return;
    }
    const auto variable = analysis.resolve(assign.targets[0], scope);
    const bool fresh = variable && claim(*variable, assign.targets[0].span);
    const Value value = evaluate_data(*assign.value, scope, analysis);
    if (!fresh || value.kind == Value::Kind::error) return;
    const NodeId node = value.kind == Value::Kind::data ? node_of_data(value, *variable, draws, analysis)
                                                        : constant(value, *variable, assign.value->span);
    if (!node) return;
    source.givens.push_back({*variable, node, std::nullopt, span, missing_values(node)});
    if (value.kind == Value::Kind::data && has_noise(*value.data)) keep_without_noise(value, *variable);
  }

  /// Adds a column that no node reads. It lets a command treat the rows that it is given as the source does,
  /// but without noise.
  void keep_without_noise(const Value& value, VariableId variable) {
    analysis.model.columns.push_back({data_of_variable(without_noise(*value.data), analysis.model[variable]),
                                      variable, value.span, Column::Values::own, source.name});
  }

  MissingValues missing_values(NodeId node) const {
    const Node& value = analysis.model.graph[node];
    if (value.op == Op::column) return missing_values_of(analysis.model[ColumnId{value.index}].expression);
    MissingValues found = MissingValues::never;
    for (const NodeId input : value.inputs) found = std::max(found, missing_values(input));
    return found;
  }

  bool may_miss(VariableId variable) const {
    return std::any_of(source.givens.begin(), source.givens.end(), [&](const Given& given) {
      return given.variable == variable && given.missing == MissingValues::usual;
    });
  }

  /// `c = 3`: the same value in every row.
  NodeId constant(const Value& value, VariableId id, base::Span at) {
    const Variable& variable = analysis.model[id];
    double number = 0;
    if (value.kind == Value::Kind::boolean) {
      number = value.boolean ? 1 : 0;
    } else if (is_number(value)) {
      number = number_of(value);
    } else {
      analysis.report.add(base::E0301, at, "what a source gives", "data or a number", kind_name(value));
      return {};
    }
    if (!admits(variable.domain, number)) {
      analysis.report.add(base::E0603, at, text_of(value), semantics::name_of(variable.domain.kind))
          .note(variable.span, fmt::format("`{}` is declared here", variable.name));
      return {};
    }
    // The values 0 and 1 of `unit` are moved inside the domain, as in data.
    constexpr double inside = 1e-6;
    if (variable.domain.kind == DomainKind::unit) number = std::clamp(number, inside, 1 - inside);
    Build build{&analysis.model.graph, at};
    const Shape shape = variable.tensor_shape();
    if (variable.domain.kind != DomainKind::category) return build.filled(number, shape);
    return build.pointwise(Op::equal, {build.iota(shape, 0), build.filled(number, shape)});
  }

  /// `z ~ Family(constants)`; none after an error.
  std::optional<ConditionalId> constant_family(const Expr& family, VariableId variable, base::Span target,
                                               base::Span span) {
    Conditional conditional;
    conditional.target = variable;
    conditional.span = span;
    conditional.target_span = target;
    if (!analysis.evaluator.expand_family(family, conditional, scope, no_parameters())) return {};
    for (const NodeId argument : conditional.arguments) {
      const auto variables = variables_of(analysis.model.graph, argument);
      if (variables.empty()) continue;
      analysis.report.add(base::E0607, family.span, name_of(variables[0]))
          .help("what depends on other variables belongs in a player");
      return {};
    }
    analysis.model.conditionals.push_back(std::move(conditional));
    return ConditionalId{static_cast<int32_t>(analysis.model.conditionals.size()) - 1};
  }

  void draw(const ConditionalDecl& decl, base::Span span) {
    const auto variable = analysis.resolve(decl.target, scope);
    const bool fresh = variable && claim(*variable, decl.target.span);
    // The parser has refused parents here.
    if (!decl.parents.empty()) return;
    if (!fresh) {
      analysis.evaluator.check_call(*decl.family, scope, no_parameters());
      return;
    }
    const auto drawn = constant_family(*decl.family, *variable, decl.target.span, span);
    if (drawn) source.givens.push_back({*variable, {}, drawn, span});
  }

  // ---- complete

  void read_complete(const Complete& complete) {
    if (complete.gibbs) {
      source.gibbs = true;
      read_sweeps(*complete.gibbs);
    }
    for (const Complete::Item& item : complete.items) {
      const auto variable = analysis.resolve(item.variable, scope);
      if (!variable) continue;
      if (const auto known = given.find(*variable); known != given.end() && !may_miss(*variable)) {
        analysis.report.add(base::E0609, item.span, name_of(*variable), source.name)
            .note(known->second, "it is given here");
        continue;
      }
      if (is_player(*item.sampler)) {
        read_word(*item.sampler, *variable, item.span);
      } else if (complete.gibbs) {
        read_start(item, *variable);
      } else {
        auto& error = analysis.report.add(base::E0301, item.sampler->span, "who completes a variable",
                                          "a player", quoted(item.sampler->span, analysis.sources));
        std::vector<std::string> players;
        for (const Player& player : analysis.model.players) players.push_back(player.name);
        if (item.sampler->kind == ExprKind::name) suggest(error, item.sampler->text, players);
        if (error.text_help.empty()) error.help("the players are " + listed(players));
      }
    }
  }

  bool is_player(const Expr& sampler) {
    if (sampler.kind != ExprKind::name) return false;
    const Value* value = scope.find(sampler.text);
    return value && value->kind == Value::Kind::player;
  }

  void read_word(const Expr& sampler, VariableId variable, base::Span span) {
    const PlayerId id{static_cast<int32_t>(scope.find(sampler.text)->integer)};
    const Player& player = analysis.model[id];
    const bool gives = std::any_of(player.conditionals.begin(), player.conditionals.end(),
                                   [&](ConditionalId c) { return analysis.model[c].target == variable; });
    const auto second = std::find_if(source.words.begin(), source.words.end(),
                                     [&](const Source::Word& word) { return word.variable == variable; });
    if (second != source.words.end()) {
      analysis.report.add(base::E0614, span, name_of(variable)).note(second->span, "the first is here");
    } else if (gives) {
      source.words.push_back({variable, id, span});
    } else if (!analysis.failed_players.count(id)) {
      std::vector<std::string> others;
      for (const Player& other : analysis.model.players)
        for (const ConditionalId c : other.conditionals)
          if (analysis.model[c].target == variable) others.push_back(other.name);
      auto& error = analysis.report.add(base::E0506, sampler.span, player.name, name_of(variable));
      if (!others.empty()) error.help(listed(others, "or") + (others.size() > 1 ? " give it" : " gives it"));
    }
  }

  void read_start(const Complete::Item& item, VariableId variable) {
    for (const ConditionalId start : source.gibbs_starts) {
      if (analysis.model[start].target != variable) continue;
      analysis.report.add(base::E0614, item.span, name_of(variable))
          .note(analysis.model[start].span, "the first is here");
      return;
    }
    const auto start = constant_family(*item.sampler, variable, item.variable.span, item.span);
    if (start) source.gibbs_starts.push_back(*start);
  }

  /// `gibbs`, `gibbs(20)`, `gibbs(sweeps = 20)`.
  void read_sweeps(const Expr& call) {
    const Expr& name = call.kind == ExprKind::call ? *call.operands[0] : call;
    if (name.kind != ExprKind::name || name.text != "gibbs") return;  // the parser has refused it
    bool seen = false;
    for (const Argument& argument : call.arguments) {
      if (argument.name && argument.name->text != "sweeps") {
        analysis.report.add(base::E0221, argument.name->span, "gibbs", argument.name->text)
            .help("it takes `sweeps`");
        continue;
      }
      if (seen) {
        analysis.report.add(base::E0224, argument.span, "sweeps");
        continue;
      }
      seen = true;
      const auto sweeps = analysis.integer(*argument.value, scope, "the number of sweeps", 1);
      if (sweeps) source.sweeps = static_cast<int>(std::min<int64_t>(*sweeps, 1'000'000));
    }
  }
};

}  // namespace

void analyse_sources(const Tree& tree, Analysis& analysis) {
  for (const Declaration& declaration : tree.declarations) {
    const auto* decl = std::get_if<SourceDecl>(&declaration.kind);
    if (!decl) continue;
    if (analysis.is_refused(decl->name)) continue;
    Source source;
    source.name = decl->name.text;
    source.span = declaration.span;
    SourceReader reader{analysis, source, analysis.new_scope(&analysis.evaluator.top()), {}, {}, {}};
    reader.read(*decl);
    analysis.model.sources.push_back(std::move(source));
  }
}

}  // namespace semantics
