// The arguments of families that are known when compiling. Each must lie in the domain of its parameter.
// Together they must give a density in 32-bit numbers, as executables compute it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "compiler/semantics/families/family_call.h"
#include "compiler/semantics/graph/dependence.h"
#include "compiler/semantics/graph/evaluate_numeric.h"
#include "runtime/shared/nearest_float.h"

namespace semantics {

using Kind = Value::Kind;

bool is_argument(DomainKind domain, double value) {
  switch (domain) {
    case DomainKind::real:
      return !std::isnan(value);  // a density may exist for an infinite logit
    case DomainKind::unit:
      return value > 0 && value < 1;
    case DomainKind::simplex:
      return value > 0 && value <= 1;
    case DomainKind::category:
      return value >= 0 && value == std::floor(value);
    default:
      return admits({domain, 0}, value);
  }
}

namespace {

/// The values of `domain`, as the end of a sentence with "must be".
const char* domain_range(DomainKind domain) {
  switch (domain) {
    case DomainKind::binary:
      return "0 or 1";
    case DomainKind::category:
    case DomainKind::count:
      return "an integer of at least 0";
    case DomainKind::real:
      return "a number";
    case DomainKind::positive:
      return "more than 0";
    case DomainKind::unit:
      return "more than 0 and less than 1";
    case DomainKind::angle:
      return "more than -pi and at most pi";
    case DomainKind::simplex:
      return "more than 0, with sum 1";
  }
  return "";
}

Numbers nothing(const Node&) { return {}; }

struct Known {
  double value;
  base::Span at;
};

/// Collects the numbers in an argument that are known when compiling, with their places.
void numbers_in(const Value& value, base::Span at, const Graph& graph, std::vector<Known>& found) {
  const bool inside = value.span.file == at.file && value.span.begin >= at.begin && value.span.end <= at.end;
  const base::Span here = inside ? value.span : at;
  if (holds_number(value)) found.push_back({number_in(value), here});
  if (value.kind == Kind::boolean) found.push_back({value.boolean ? 1.0 : 0.0, here});
  for (const Value& item : value.items) numbers_in(item, here, graph, found);
  if (value.kind != Kind::tensor || !is_constant(graph, value.node)) return;
  for (const double number : NumericEvaluator(graph, nothing)(value.node)) found.push_back({number, here});
}

/// For each parameter that is not fixed, a column of numbers: [the parameter's own elements, trials].
using Columns = std::vector<Numbers>;

/// The nodes of the declared sampler that depend on parameters only, not on draws: such as a standard
/// deviation.
std::vector<NodeId> without_draws(const FamilyTemplate& t) {
  const auto last = static_cast<size_t>(t.declared_sample.index);
  std::vector<bool> used(last + 1), drawn(last + 1);
  used[last] = true;
  for (size_t i = last + 1; i-- > 0;)
    if (used[i])
      for (const NodeId input : t.graph[NodeId{static_cast<int32_t>(i)}].inputs)
        used[static_cast<size_t>(input.index)] = true;
  std::vector<NodeId> found;
  for (size_t i = 0; i <= last; ++i) {
    const NodeId id{static_cast<int32_t>(i)};
    const Node& node = t.graph[id];
    drawn[i] = info(node.op).group == OpGroup::random || std::ranges::any_of(node.inputs, [&](NodeId input) {
                 return drawn[static_cast<size_t>(input.index)];
               });
    if (used[i] && !drawn[i] && !node.inputs.empty()) found.push_back(id);
  }
  return found;
}

/// The first trial at which the family has no density. Either its sampler computes a number that is infinite
/// or NaN, or the density is finite at none of the draws.
std::optional<size_t> without_density(const FamilyTemplate& t, DomainKind domain, const Columns& arguments) {
  constexpr int most_draws = 256;
  constexpr double inside = 1e-6;  // executables move the ends of `unit` inside by this much
  std::vector<bool> good(static_cast<size_t>(count(t.positions)));
  Numbers x;
  const auto leaf = [&](const Node& node) {
    const auto index = static_cast<size_t>(node.index);
    return index < arguments.size() ? arguments[index] : x;
  };
  NumericEvaluator parts(t.graph, leaf, 0, Precision::single);
  for (const NodeId part : without_draws(t)) {
    const Numbers& values = parts(part);
    const auto bad = std::ranges::find_if_not(values, [](double value) { return std::isfinite(value); });
    if (bad != values.end()) return static_cast<size_t>(bad - values.begin()) % good.size();
  }
  for (int i = 0; i < most_draws && std::ranges::count(good, false) > 0; ++i) {
    NumericEvaluator sampler(t.graph, leaf, static_cast<uint64_t>(i), Precision::single);
    x = sampler(t.sample);
    if (domain == DomainKind::unit)
      for (double& value : x) value = std::clamp(value, inside, 1 - inside);
    NumericEvaluator evaluator(t.graph, leaf, 0, Precision::single);
    const Numbers& density = evaluator(t.density);
    for (size_t p = 0; p < good.size(); ++p) good[p] = good[p] || std::isfinite(density[p]);
  }
  const auto bad = std::ranges::find(good, false);
  if (bad == good.end()) return std::nullopt;
  return static_cast<size_t>(bad - good.begin());
}

/// The arguments at the positions of a variable, each distinct combination once.
Columns distinct(const Columns& arguments, const FamilyTemplate& t, size_t& trials) {
  constexpr size_t most_trials = 4096;
  const auto positions = static_cast<size_t>(count(t.positions));
  std::set<std::vector<double>> columns;
  for (size_t p = 0; p < positions && columns.size() < most_trials; ++p) {
    std::vector<double> column;
    for (const Numbers& numbers : arguments)
      for (size_t k = p; k < numbers.size(); k += positions) column.push_back(numbers[k]);
    columns.insert(std::move(column));
  }
  trials = columns.size();
  Columns result;
  size_t row = 0;
  for (const Numbers& numbers : arguments) {
    Numbers& rows = result.emplace_back();
    for (size_t k = 0; k < numbers.size() / positions; ++k, ++row)
      for (const auto& column : columns) rows.push_back(column[row]);
  }
  return result;
}

/// The column of one trial.
Columns trial(const Columns& all, size_t trials, size_t chosen) {
  Columns result;
  for (const Numbers& numbers : all) {
    Numbers& column = result.emplace_back();
    for (size_t k = chosen; k < numbers.size(); k += trials) column.push_back(numbers[k]);
  }
  return result;
}

std::string text_of_numbers(const Numbers& numbers) {
  constexpr size_t most_shown = 6;
  std::vector<std::string> texts;
  for (const double number : numbers) texts.push_back(fmt::format("{:.6g}", number));
  if (texts.size() == 1) return texts[0];
  const bool all = texts.size() <= most_shown;
  if (!all) texts.resize(most_shown);
  return fmt::format("[{}{}]", fmt::join(texts, ", "), all ? "" : ", …");
}

/// One call of a family, whose arguments are tried at single positions.
struct Trials {
  Evaluation& e;
  const FamilyCall& call;
  const Variable& variable;
  int64_t extent = 0;  // K, for a family over real[K]
  Columns start;       // one trial: the values for arguments that are not known

  Shape shape(size_t trials) const {
    Shape result;
    if (extent > 0) result.push_back(extent);
    result.push_back(static_cast<int64_t>(trials));
    return result;
  }
  std::shared_ptr<const FamilyTemplate> form(size_t trials) const {
    return e.template_of(*call.decl, variable.domain, shape(trials), call.fixed);
  }
  std::optional<size_t> fails(const Columns& columns, size_t trials) const {
    return without_density(*form(trials), variable.domain.kind, columns);
  }

  /// The first known parameter that alone causes the failure of `failing`. If there is none, the first known
  /// parameter.
  size_t blamed(const Columns& failing, const std::vector<bool>& known) const {
    for (size_t i = 0; i < failing.size(); ++i) {
      Columns other = failing;
      other[i] = start[i];
      if (known[i] && !fails(other, 1)) return i;
    }
    return static_cast<size_t>(std::ranges::find(known, true) - known.begin());
  }

  /// "did you mean `std = 100`?": a `from` with one argument that allows the value and gives a density.
  std::string suggestion(size_t parameter, Columns failing) const {
    const auto scalar = form(1);
    const Numbers given = failing[parameter];
    for (const syntax::Statement& statement : call.decl->body) {
      const auto* from = std::get_if<syntax::From>(&statement.kind);
      if (!from || from->parameters.size() != 1 || given.size() != 1) continue;
      const syntax::From::Parameter& argument = from->parameters[0];
      if (!is_argument(*kind_of_domain(argument.domain.name.text), given[0])) continue;
      const auto assigned = through(*from, given[0], scalar->parameters[parameter].name);
      if (!assigned) continue;
      failing[parameter] = *assigned;
      if (!fails(failing, 1))
        return fmt::format("did you mean `{} = {}`?", argument.name.text, text_of_numbers(given));
    }
    return "";
  }

  /// The value that a `from` assigns to `parameter` if its argument is `value`.
  std::optional<Numbers> through(const syntax::From& from, double value, const std::string& parameter) const {
    const auto scalar = form(1);
    Graph graph;
    FamilyFrame inside_frame = e.frame_of(*call.decl, variable.domain, shape(1));
    const Inside inside(e, graph, inside_frame);
    Scope& body = e.body_scope(*call.decl, inside_frame, call.fixed);
    const base::Span at = call.decl->name.span;
    for (const auto& other : scalar->parameters)
      body.names[other.name] = e.from_node(e.build.filled(starting_value(other), other.shape), at);
    body.names[parameter] = Value{};
    body.names[from.parameters[0].name.text] = e.from_node(e.build.filled(value, {1}), at);
    for (const syntax::Statement& statement : from.body)
      if (const auto* assign = std::get_if<syntax::Assign>(&statement.kind))
        e.bind(*assign, body, ParameterContext{});
    const Value& result = body.names[parameter];
    if (result.kind != Kind::tensor || !is_constant(graph, result.node)) return std::nullopt;
    return NumericEvaluator(graph, nothing)(result.node);
  }
};

}  // namespace

bool check_domains(Evaluation& e, const FamilyCall& call, const Variable& variable, bool in_source) {
  const auto check = [&](const std::string& name, const syntax::DomainExpr* declared,
                         base::Span declared_at) {
    const auto place = call.places.find(name);
    const auto given = call.values.find(name);
    if (place == call.places.end() || given == call.values.end()) return true;
    const DomainKind domain = declared ? *kind_of_domain(declared->name.text) : DomainKind::real;
    std::vector<Known> numbers;
    numbers_in(given->second, place->second, *e.build.graph, numbers);
    for (const Known& number : numbers) {
      if (is_argument(domain, number.value)) continue;
      auto& diagnostic =
          e.error(base::E0301, number.at, fmt::format("`{}` of `{}`", name, call.decl->name.text),
                  domain_range(domain), fmt::format("{:.9g}", number.value));
      if (!e.is_standard(*call.decl)) diagnostic.note(declared_at, "it is declared here");
      if (domain == DomainKind::unit && in_source && admits(variable.domain, number.value))
        diagnostic.help(
            fmt::format("for a value that is certain write `{} = {:.9g}`", variable.name, number.value));
      else if (domain == DomainKind::unit && (number.value == 0 || number.value == 1))
        diagnostic.help(
            fmt::format("`{} = {}` is all but certain", name, number.value == 0 ? "1e-6" : "1 - 1e-6"));
      else if (domain == DomainKind::positive && number.value < 0)
        diagnostic.help(fmt::format("did you mean `{} = {:.9g}`?", name, -number.value));
      else if (domain == DomainKind::positive && number.value == 0)
        diagnostic.help(fmt::format("a small value works: `{} = 1e-3`", name));
      return false;
    }
    return true;
  };
  bool good = true;
  for (const auto& parameter : call.decl->parameters)
    good &= check(parameter.name.text, parameter.domain ? &*parameter.domain : nullptr, parameter.span);
  if (call.from)
    for (const auto& parameter : call.from->parameters)
      good &= check(parameter.name.text, &parameter.domain, parameter.name.span);
  return good;
}

bool check_density(Evaluation& e, const FamilyCall& call, const Variable& variable, const FamilyTemplate& t,
                   const std::vector<NodeId>& arguments, base::Span at) {
  Columns columns;
  std::vector<bool> known;
  Trials trials{e, call, variable, 0, {}};
  if (variable.domain.classes == 0 && !call.decl->domain.shape.empty() && !variable.shape.empty())
    trials.extent = variable.shape[0];
  const auto positions = static_cast<size_t>(count(t.positions));
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto elements = static_cast<size_t>(count(t.parameters[i].shape));
    const double otherwise = starting_value(t.parameters[i]);
    trials.start.emplace_back(elements / positions, otherwise);
    const auto given = call.values.find(t.parameters[i].name);
    const bool defaulted = given != call.values.end() && given->second.kind == Kind::none;
    known.push_back(!defaulted && is_constant(*e.build.graph, arguments[i]));
    columns.push_back(known.back() ? NumericEvaluator(*e.build.graph, nothing)(arguments[i])
                                   : Numbers(elements, otherwise));
  }
  if (std::ranges::count(known, true) == 0) return true;
  size_t several = 0;
  const Columns tried = distinct(columns, t, several);
  const auto failing = trials.fails(tried, several);
  if (!failing || trials.fails(trials.start, 1)) return true;
  const Columns column = trial(tried, several, *failing);
  const size_t i = trials.blamed(column, known);
  std::string name = t.parameters[i].name, value = text_of_numbers(column[i]);
  const bool written = call.places.contains(name);
  if (!written && call.from) {
    name = call.from->parameters[0].name.text;
    const Value& given = call.values.at(name);
    value = holds_number(given) ? fmt::format("{:.6g}", number_in(given)) : "this value";
  }
  const auto place = call.places.find(name);
  auto& diagnostic = e.error(base::E0301, place != call.places.end() ? place->second : at,
                             fmt::format("`{}` of `{}`", name, call.decl->name.text),
                             "a number that leaves a density in 32-bit arithmetic", value);
  diagnostic.label("its draws or their densities are infinite or not a number");
  if (const std::string help = written ? trials.suggestion(i, column) : ""; !help.empty())
    diagnostic.help(help);
  return false;
}

}  // namespace semantics
