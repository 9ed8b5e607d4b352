// Learn blocks: the keys of a method with their types and defaults. A map over sources or players must name
// each of them.
#include <algorithm>
#include <cmath>
#include <deque>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/graph/dependence.h"
#include "compiler/semantics/learn/bounds.h"
#include "compiler/semantics/learn/enumeration.h"
#include "compiler/semantics/learn/learn_values.h"
#include "compiler/semantics/learn/learn_words.h"
#include "compiler/syntax/parse.h"
#include "runtime/schema/learn_keys.h"
#include "runtime/schema/setting_bounds.h"
#include "runtime/schema/training_metrics.h"

namespace semantics {
namespace {
using namespace syntax;

/// Writes the `text` of a flag as a value of the language: `a,b` becomes a list, `z=zgr` a map.
std::string value_of_flag(const std::string& key, const std::string& text) {
  if (key == "enumerate" && !text.starts_with('[')) return "[" + text + "]";
  const size_t equals = text.find('=');
  if (key != "estimator" || equals == std::string::npos || equals > text.find('(')) return text;
  std::string map = "{";
  int depth = 0;
  for (const char c : text) {
    depth += (c == '(') - (c == ')');
    map += c == '=' && depth == 0 ? ':' : c;
  }
  return map + "}";
}

}  // namespace

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const LearnMethod& method : learn_methods) names.emplace_back(method.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> keys_of_method(const std::string& method) {
  const unsigned bit = method_bit(method) ? method_bit(method) : LearnKey::every_method;
  std::vector<std::string> known;
  for (const LearnKey& key : learn_keys())
    if ((key.methods & bit) != 0) known.emplace_back(key.name);
  return known;
}

namespace {

struct LearnReader : LearnValues {
  Learn& learn;
  std::map<std::string, const Assign*> keys;
  bool sources_known = true;
  bool lost_key = false;   // some key is unknown: it may be a misspelt required key
  std::deque<Tree> flags;  // keys that the command line gives

  void read(const LearnDecl& decl) {
    collect(decl);
    for (const auto& [key, assign] : keys)
      if (assign->value) learn.values[key] = assign->value->span;
    read_sources();
    if (const Expr* value = find("steps"))
      set_integer(*value, "`steps`", {1, bounds::steps.most}, learn.steps);
    if (const Expr* value = find("clip")) read_clip(*value);
    int64_t seed = 0;
    if (const Expr* value = find("seed")) set_integer(*value, "`seed`", bounds::seed, seed);
    learn.seed = static_cast<uint64_t>(seed);
    if (const Expr* value = find("order"))
      set_word(*value, "`order`", {"alternating", "simultaneous"}, learn.order);
    if (const Expr* value = find("precision"))
      set_word(*value, "`precision`", {"fp32", "tf32", "bf16"}, learn.precision);
    if (const Expr* value = find("start")) read_start(*value);
    if (const Expr* value = find("every")) read_every(*value);
    if (const Expr* value = find("average")) read_average(*value);
    if (const Expr* value = find("weight")) read_weight(*value);
    if (const Expr* value = find("evaluate")) read_evaluate(*value);
    if (const Expr* value = find("stop")) read_stop(*value);
    int64_t kept = 0;
    if (const Expr* value = find("keep"))
      if (set_integer(*value, "`keep`", bounds::every, kept)) learn.own["keep"] = kept;
    if (const Expr* value = find("schedule")) read_schedule(*value);
    read_batch();
    read_optimizers();
    read_own();
    check_steps(decl);
    check_average(decl);
  }

  // ---- keys

  void collect(const LearnDecl& decl) {
    const std::vector<std::string> known = keys_of_method(decl.method.text);
    for (const Statement& statement : decl.body) {
      const auto* assign = std::get_if<Assign>(&statement.kind);
      if (!assign) continue;
      const Name& key = assign->targets[0].name;
      if (std::find(known.begin(), known.end(), key.text) == known.end()) {
        report_unknown_key(key, decl.method.text, known);
        continue;
      }
      const auto [first, fresh] = keys.insert({key.text, assign});
      if (!fresh)
        analysis.report.add(base::E0804, key.span, key.text)
            .note(first->second->targets[0].span, "it is given here first");
    }
    for (const Options::Key& key : analysis.options.keys)
      if (key.learn == learn.name) add_flag(key, decl.method.text);
  }

  /// Reads a key from the command line, which replaces the file's.
  void add_flag(const Options::Key& key, const std::string& method) {
    const std::string text =
        fmt::format("learn {} {{ {} = {} }}", method, key.key, value_of_flag(key.key, key.text));
    const Tree& tree = flags.emplace_back(syntax::parse(
        analysis.sources.add(fmt::format("--{} {}", key.key, key.text), text), analysis.report));
    const auto* decl =
        tree.declarations.size() == 1 ? std::get_if<LearnDecl>(&tree.declarations[0].kind) : nullptr;
    const auto* assign = decl && decl->body.size() == 1 ? std::get_if<Assign>(&decl->body[0].kind) : nullptr;
    if (assign) {
      keys[key.key] = assign;
    } else if (!analysis.report.has_errors()) {
      analysis.report.add(base::E0301, learn.span, "--" + key.key, "one value", "`" + key.text + "`");
    }
  }

  void report_unknown_key(const Name& key, const std::string& method, const std::vector<std::string>& known) {
    lost_key = true;
    if (method_bit(learn.method) == 0) return;  // the method is unknown, and so are its keys
    auto& error = analysis.report.add(base::E0803, key.span, method, key.text);
    if (const LearnKey* elsewhere = find_learn_key(key.text)) {
      std::vector<std::string> others = methods_of(*elsewhere);
      std::ranges::sort(others);
      error.help("it is a key of " + listed(others));
    } else {
      suggest(error, key.text, known);
    }
  }

  const Expr* find(const std::string& key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? nullptr : found->second->value.get();
  }

  // ---- the common keys

  void read_sources() {
    const Model& model = analysis.model;
    const Expr* list = find("sources");
    if (!list) {
      for (size_t i = 0; i < model.sources.size(); ++i)
        if (model.sources[i].weight > 0) learn.sources.push_back({static_cast<int32_t>(i)});
      return;
    }
    if (list->kind != ExprKind::list) {
      analysis.report.add(base::E0301, list->span, "`sources`", "a list of sources",
                          quoted(list->span, analysis.sources));
      sources_known = false;
      return;
    }
    std::vector<std::string> names;
    for (const Source& source : model.sources) names.push_back(source.name);
    for (const ExprPtr& item : list->operands) add_source(*item, names);
    if (sources_known && learn.sources.empty())
      analysis.report.add(base::E0301, list->span, "`sources`", "a list of sources", "an empty one");
    std::sort(learn.sources.begin(), learn.sources.end());
  }

  void add_source(const Expr& item, const std::vector<std::string>& names) {
    const auto found =
        item.kind == ExprKind::name ? std::find(names.begin(), names.end(), item.text) : names.end();
    if (found == names.end()) {
      sources_known = false;
      if (item.kind == ExprKind::name && analysis.lost["source"].contains(item.text)) return;
      auto& error = analysis.report.add(base::E0301, item.span, "an element of `sources`", "a source",
                                        quoted(item.span, analysis.sources));
      if (item.kind == ExprKind::name) suggest(error, item.text, names);
      return;
    }
    const SourceId id{static_cast<int32_t>(found - names.begin())};
    if (std::find(learn.sources.begin(), learn.sources.end(), id) != learn.sources.end()) {
      analysis.report.add(base::E0804, item.span, item.text);
    } else if (analysis.model[id].weight == 0) {
      sources_known = false;
      analysis.report.add(base::E0809, item.span, item.text)
          .note(analysis.model[id].span, "its weight is 0: it is never learned from");
    } else {
      learn.sources.push_back(id);
    }
  }

  void read_batch() {
    const Expr* value = find("batch");
    std::vector<std::string> names;
    for (const SourceId id : learn.sources) names.push_back(analysis.model[id].name);
    if (value && value->kind == ExprKind::map) {
      if (!sources_known) return;
      const auto map = entries(*value, "batch", "source", names);
      if (!map) return;
      for (const auto& [name, expr] : *map)
        set_integer(*expr, fmt::format("the batch of `{}`", name), bounds::batch, learn.batch[name]);
      return;
    }
    int64_t batch = 128;
    if (value) set_integer(*value, "`batch`", bounds::batch, batch);
    for (const std::string& name : names) learn.batch[name] = batch;
  }

  void read_optimizers() {
    const Expr* value = find("optimizer");
    std::vector<std::string> names;
    for (const Player& player : analysis.model.players) names.push_back(player.name);
    if (value && value->kind == ExprKind::map) {
      const auto map = entries(*value, "optimizer", "player", names);
      if (!map) return;
      for (const auto& [name, expr] : *map) learn.optimizers[name] = optimizer(*expr);
      return;
    }
    const OptimizerSettings same = value ? optimizer(*value) : OptimizerSettings();
    for (const std::string& name : names) learn.optimizers[name] = same;
  }

  OptimizerSettings optimizer(const Expr& expr) {
    std::map<std::string, Signature> signatures;
    for (const OptimizerWord& word : optimizer_words()) {
      Signature& signature = signatures[std::string(word.name)];
      for (const OptimizerNumber& number : word.numbers) signature.emplace_back(number.name, number.fallback);
    }
    const auto call = word_call(expr, "`optimizer`", signatures);
    if (!call) return OptimizerSettings();
    OptimizerSettings result(call->text);
    result.numbers = call->numbers;
    for (const OptimizerNumber& number : result.word().numbers) {
      const double value = result.numbers.at(std::string(number.name));
      if (number.below_one && value >= 1)
        analysis.report.add(base::E0301, expr.span, fmt::format("`{}` of `{}`", number.name, call->text),
                            "less than 1", fmt::format("{}", value));
    }
    return result;
  }

  void read_schedule(const Expr& expr) {
    const auto word = word_call(
        expr, "`schedule`",
        {{"constant", {}}, {"cosine", {{"warmup", 0}}}, {"step", {{"every", required}, {"factor", 0.1}}}});
    if (!word) return;
    learn.schedule.kind = word->text;
    if (word->text == "cosine") learn.schedule.warmup = word->numbers.at("warmup");
    if (word->text != "step") return;
    learn.schedule.every = word->numbers.at("every");
    learn.schedule.factor = word->numbers.at("factor");
    if (learn.schedule.every < 1) {
      learn.schedule.every = 1;
      analysis.report
          .add(base::E0301, expr.span, "`every` of `step`", "at least 1 step",
               fmt::format("{}", word->numbers.at("every")))
          .help("write `step(every = 10_000, factor = 0.5)`");
    }
  }

  void read_start(const Expr& expr) {
    if (refuse_map(expr, "`start`")) return;
    const Value value = analysis.evaluator.constant(expr, scope, "`start`");
    if (value.kind == Value::Kind::error) return;
    if (value.kind == Value::Kind::string) {
      learn.start = value.text;
      return;
    }
    analysis.report.add(base::E0301, expr.span, "`start`", "a run's folder, a string", kind_name(value));
  }

  /// "average": the decay of the moving average of all parameters.
  void read_average(const Expr& expr) {
    double decay = 0;
    if (!set_number(expr, "`average`", 0, decay)) return;
    if (decay < 1) {
      learn.own["average"] = decay;
    } else {
      analysis.report.add(base::E0301, expr.span, "`average`", "less than 1", fmt::format("{}", decay));
    }
  }

  /// "clip": one number, or one for each player.
  void read_clip(const Expr& expr) {
    if (expr.kind != ExprKind::map) {
      set_number(expr, "`clip`", 0, learn.clip);
      return;
    }
    std::vector<std::string> names;
    for (const Player& player : analysis.model.players) names.push_back(player.name);
    const auto map = entries(expr, "clip", "player", names);
    if (!map) return;
    for (const auto& [name, value] : *map) {
      double clip = 0;
      if (set_number(*value, fmt::format("the clip of `{}`", name), 0, clip)) learn.own["clip"][name] = clip;
    }
  }

  /// "evaluate": the names of the metrics.
  void read_evaluate(const Expr& expr) {
    if (expr.kind != ExprKind::list) {
      analysis.report
          .add(base::E0301, expr.span, "`evaluate`", "a list of metrics", quoted(expr.span, analysis.sources))
          .help("write `[loglik, accuracy]`");
      return;
    }
    nlohmann::json names = nlohmann::json::array();
    for (const ExprPtr& item : expr.operands) {
      std::string metric;
      set_word(*item, "an element of `evaluate`", training_metrics, metric);
      if (std::find(names.begin(), names.end(), nlohmann::json(metric)) != names.end() && !metric.empty())
        analysis.report.add(base::E0804, item->span, metric);
      if (!metric.empty()) names.push_back(metric);
    }
    if (expr.operands.empty())
      analysis.report.add(base::E0301, expr.span, "`evaluate`", "a list of metrics", "an empty one");
    learn.own["evaluate"] = names;
  }

  /// "stop": `early(METRIC, patience)`, stored as {"metric", "patience"}.
  void read_stop(const Expr& expr) {
    const bool early = expr.kind == ExprKind::call && expr.operands[0]->kind == ExprKind::name &&
                       expr.operands[0]->text == "early" && expr.arguments.size() == 2 &&
                       !expr.arguments[0].name &&
                       (!expr.arguments[1].name || expr.arguments[1].name->text == "patience");
    if (!early) {
      analysis.report
          .add(base::E0301, expr.span, "`stop`", "`early(METRIC, patience)`",
               quoted(expr.span, analysis.sources))
          .help("write `early(loglik, 5)`");
      return;
    }
    std::string metric;
    set_word(*expr.arguments[0].value, "the metric of `early`", training_metrics, metric);
    int64_t patience = 0;
    if (!set_integer(*expr.arguments[1].value, "the patience of `early`", bounds::counts, patience)) return;
    if (!metric.empty()) learn.own["stop"] = {{"metric", metric}, {"patience", patience}};
    if (learn.every.at("evaluate") == 0)
      analysis.report.add(base::E0811, expr.span, learn.method, "`every = {evaluate: N}` for `stop`")
          .label("it looks at what evaluations find");
  }

  /// "weight": for each named source, a number or a schedule of it.
  void read_weight(const Expr& expr) {
    if (expr.kind != ExprKind::map) {
      analysis.report.add(base::E0301, expr.span, "`weight`", "a map", quoted(expr.span, analysis.sources))
          .help("write `{images: 0.2}`");
      return;
    }
    if (!sources_known) return;
    std::vector<std::string> names;
    for (const SourceId id : learn.sources) names.push_back(analysis.model[id].name);
    for (const Argument& entry : expr.arguments) {
      const std::string& name = entry.name->text;
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        if (!analysis.lost["source"].contains(name))
          suggest(analysis.report.add(base::E0808, entry.name->span, "weight", name, "source"), name, names);
      } else if (learn.own["weight"].contains(name)) {
        analysis.report.add(base::E0804, entry.name->span, name);
      } else if (const auto number = scheduled(*entry.value, fmt::format("the weight of `{}`", name))) {
        learn.own["weight"][name] = *number;
      }
    }
  }

  void read_every(const Expr& expr) {
    if (expr.kind != ExprKind::map) {
      analysis.report.add(base::E0301, expr.span, "`every`", "a map", quoted(expr.span, analysis.sources))
          .help("write `{log: 100, sample: 1000}`");
      return;
    }
    std::set<std::string> seen;
    for (const Argument& entry : expr.arguments) {
      const std::string& name = entry.name->text;
      if (!learn.every.count(name)) {
        suggest_among(analysis.report.add(base::E0808, entry.name->span, "every", name, "event"), name,
                      keys_of(learn.every), "the events are");
      } else if (!seen.insert(name).second) {
        analysis.report.add(base::E0804, entry.name->span, name);
      } else {
        set_integer(*entry.value, fmt::format("`{}`", name), bounds::every, learn.every[name]);
      }
    }
  }

  // ---- the methods' own keys

  void read_own() {
    for (const char* key : {"samples", "fit_steps", "constrain_steps", "refit_steps"}) {
      int64_t number = 0;
      if (const Expr* value = find(key))
        if (set_integer(*value, fmt::format("`{}`", key), bounds::counts, number)) learn.own[key] = number;
    }
    for (const char* key : {"beta", "alpha", "free_bits"}) {
      if (const Expr* value = find(key))
        if (const auto number = scheduled(*value, fmt::format("`{}`", key))) learn.own[key] = *number;
    }
    for (const char* key : {"epsilon", "dual_rate"}) {
      double number = 0;
      if (const Expr* value = find(key))
        if (set_number(*value, fmt::format("`{}`", key), 0, number)) learn.own[key] = number;
    }
    if (const Expr* value = find("analytic_kl")) {
      if (refuse_map(*value, "`analytic_kl`")) return;
      const Value truth = analysis.evaluator.constant(*value, scope, "`analytic_kl`");
      if (truth.kind == Value::Kind::boolean) {
        learn.own["analytic_kl"] = truth.boolean;
      } else if (truth.kind != Value::Kind::error) {
        analysis.report.add(base::E0301, value->span, "`analytic_kl`", "true or false", kind_name(truth));
      }
    }
    int64_t limit = 0;
    if (const Expr* value = find("enumerate_limit"))
      if (set_integer(*value, "`enumerate_limit`", bounds::enumerated, limit))
        learn.own["enumerate_limit"] = limit;
    if (const Expr* value = find("estimator")) read_estimator(*value);
    if (const Expr* value = find("enumerate")) read_enumerate(*value);
  }

  /// The variables that a name stands for: one, all of an array `z`, or its element `z[0]`. None if there is
  /// no such variable.
  std::vector<VariableId> variables_named(const std::string& name) const {
    if (const auto group = analysis.variables.find(name); group != analysis.variables.end())
      return group->second.ids;
    for (const auto& [base, group] : analysis.variables)
      for (const VariableId id : group.ids)
        if (group.array && analysis.model[id].name == name) return {id};
    return {};
  }

  /// `z` or `z[0]`; empty for other expressions.
  static std::string name_of_item(const Expr& item) {
    if (item.kind == ExprKind::name) return item.text;
    if (item.kind != ExprKind::index || item.operands[0]->kind != ExprKind::name) return "";
    const bool element = item.subscripts.size() == 1 && !item.subscripts[0].slice &&
                         item.subscripts[0].begin->kind == ExprKind::integer;
    return element ? fmt::format("{}[{}]", item.operands[0]->text, item.subscripts[0].begin->integer) : "";
  }

  /// "enumerate": the names of the variables to sum over.
  void read_enumerate(const Expr& expr) {
    if (expr.kind != ExprKind::list) {
      analysis.report.add(base::E0301, expr.span, "`enumerate`", "a list of variables",
                          quoted(expr.span, analysis.sources));
      return;
    }
    nlohmann::json names = nlohmann::json::array();
    for (const ExprPtr& item : expr.operands) {
      const std::vector<VariableId> ids = variables_named(name_of_item(*item));
      if (ids.empty()) {
        if (item->kind == ExprKind::name && analysis.failed_variable(item->text)) continue;
        auto& error = analysis.report.add(base::E0301, item->span, "an element of `enumerate`", "a variable",
                                          quoted(item->span, analysis.sources));
        if (item->kind == ExprKind::name) suggest(error, item->text, keys_of(analysis.variables));
        continue;
      }
      for (const VariableId id : ids) {
        const Variable& variable = analysis.model[id];
        if (std::find(names.begin(), names.end(), nlohmann::json(variable.name)) != names.end()) {
          analysis.report.add(base::E0804, item->span, variable.name);
          break;
        }
        names.push_back(variable.name);
        if (finite_values(variable)) continue;
        analysis.report.add(base::E0810, item->span, "enumerate", variable.name)
            .label(std::string("a sum needs finitely many values; this is `") +
                   name_of(variable.domain.kind) + "`")
            .note(variable.span, "`" + variable.name + "` is declared here");
        break;
      }
    }
    learn.own["enumerate"] = names;
  }

  /// "estimator": {"kind", "temperature"} for all latents. "estimators": the same for each named latent.
  void read_estimator(const Expr& expr) {
    if (expr.kind != ExprKind::map) {
      const auto kind = estimator(expr);
      if (!kind) return;
      learn.own["estimator"] = *kind;
      for (const ConditionalId id : drawn_latents(analysis.model, learn))
        check_estimator((*kind)["kind"], analysis.model[id], expr.span, analysis.model, analysis.report);
      return;
    }
    nlohmann::json kinds = nlohmann::json::object();
    for (const Argument& entry : expr.arguments) {
      const std::vector<VariableId> ids = variables_named(entry.name->text);
      if (ids.empty()) {
        if (analysis.failed_variable(entry.name->text) ||
            analysis.lost["variable"].contains(entry.name->text))
          continue;
        suggest(analysis.report.add(base::E0808, entry.name->span, "estimator", entry.name->text, "variable"),
                entry.name->text, keys_of(analysis.variables));
        continue;
      }
      std::vector<ConditionalId> latents = drawn_latents(analysis.model, learn);
      for (const ConditionalId id : drawn_where_missing(analysis.model, learn)) latents.push_back(id);
      const bool drawn = std::any_of(latents.begin(), latents.end(), [&](ConditionalId c) {
        return std::find(ids.begin(), ids.end(), analysis.model[c].target) != ids.end();
      });
      // If a player has errors, it is not known what it draws, so nothing is reported.
      if (!drawn && !latents.empty() && analysis.failed_players.empty()) {
        analysis.report.add(base::E0808, entry.name->span, "estimator", entry.name->text, "variable")
            .label("no encoder draws it in a bound");
        continue;
      }
      const auto kind = estimator(*entry.value);
      if (!kind) continue;
      for (const VariableId id : ids) {
        if (kinds.contains(analysis.model[id].name)) {
          analysis.report.add(base::E0804, entry.name->span, entry.name->text);
          break;
        }
        kinds[analysis.model[id].name] = *kind;
        for (const ConditionalId c : latents)
          if (analysis.model[c].target == id)
            check_estimator((*kind)["kind"], analysis.model[c], entry.value->span, analysis.model,
                            analysis.report);
      }
    }
    learn.own["estimators"] = kinds;
  }

  std::optional<nlohmann::json> estimator(const Expr& expr) {
    std::map<std::string, Signature> kinds = {{"enumerate", {}}};
    // In `rws`, no gradient passes through a draw, so no estimator is needed.
    if (learn.method != "rws")
      kinds.insert(
          {{"reparam", {}}, {"zgr", {}}, {"st", {}}, {"gumbel", {{"temperature", 1}}}, {"score", {}}});
    const auto word = word_call(expr, "`estimator`", kinds);
    if (!word) return {};
    nlohmann::json result = {{"kind", word->text}};
    for (const auto& [name, number] : word->numbers) {
      result[name] = number;
      if (number > 0) continue;
      analysis.report.add(base::E0301, expr.span, "the temperature of `gumbel`", "more than 0", "0");
    }
    return result;
  }

  /// If a player reads `average(...)`, the learn block must keep averages.
  void check_average(const LearnDecl& decl) {
    if (find("average") ? learn.own.value("average", 1.0) > 0 : lost_key) return;
    if (!reads_averages(analysis.model.graph)) return;
    analysis.report.add(base::E0811, decl.method.span, decl.method.text, "its key `average`")
        .label("a player's conditional reads `average(...)`")
        .help("write `average = 0.999`");
  }

  /// The number of steps is required. `libi` may give the steps of its three phases instead.
  void check_steps(const LearnDecl& decl) {
    if (find("steps")) return;
    const bool phases = find("fit_steps") && find("constrain_steps") && find("refit_steps");
    if (learn.method == "libi" && phases) {
      for (const char* key : {"fit_steps", "constrain_steps", "refit_steps"})
        learn.steps += learn.own.value(key, int64_t{0});
      return;
    }
    if (lost_key) return;
    analysis.report.add(base::E0806, decl.method.span, decl.method.text).help("write `steps = 20_000`");
  }
};

}  // namespace

void analyse_learn(const Tree& tree, Analysis& analysis) {
  std::map<std::string, base::Span> names;
  const auto players = std::count_if(tree.declarations.begin(), tree.declarations.end(), [](const auto& d) {
    return std::holds_alternative<PlayerDecl>(d.kind);
  });
  const bool all_players = players == static_cast<ptrdiff_t>(analysis.model.players.size());
  for (const Declaration& declaration : tree.declarations) {
    const auto* decl = std::get_if<LearnDecl>(&declaration.kind);
    if (!decl) continue;
    Learn learn;
    learn.method = decl->method.text;
    learn.name = decl->as ? decl->as->text : decl->method.text;
    learn.span = declaration.span;
    const bool known = method_bit(learn.method) != 0;
    if (!known) {
      auto& error = analysis.report.add(base::E0801, decl->method.span, learn.method);
      suggest_among(error, learn.method, method_names(), "the methods are");
    }
    const base::Span at = decl->as ? decl->as->span : decl->method.span;
    const auto [first, fresh] = names.insert({learn.name, at});
    if (!fresh)
      analysis.report.add(base::E0802, at, learn.name)
          .note(first->second, "the first is here")
          .help("name it: `learn " + learn.method + " as another { ... }`");
    LearnReader{{analysis, analysis.evaluator.top()}, learn, {}}.read(*decl);
    if (known && all_players) check_bound(learn, decl->method.span, analysis.model, analysis.report);
    analysis.model.learns.push_back(std::move(learn));
  }
}

}  // namespace semantics
