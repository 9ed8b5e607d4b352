#include "compiler/semantics/learn/learn_values.h"

#include <algorithm>
#include <cmath>

#include "compiler/semantics/learn/bounds.h"

namespace semantics {
using namespace syntax;

namespace {

/// Numbers over the steps, as `scheduled` reads them.
const std::map<std::string, LearnValues::Signature>& schedules() {
  static const std::map<std::string, LearnValues::Signature> words = {
      {"linear",
       {{"from", LearnValues::required}, {"to", LearnValues::required}, {"steps", LearnValues::required}}},
      {"cyclical",
       {{"from", LearnValues::required}, {"to", LearnValues::required}, {"period", LearnValues::required}}}};
  return words;
}

}  // namespace

bool LearnValues::set_integer(const Expr& expr, const std::string& what, WholeRange range, int64_t& result) {
  if (refuse_map(expr, what) || refuse_schedule(expr, what)) return false;
  const auto value = analysis.integer(expr, scope, what, range.least);
  if (!value) return false;
  if (*value > range.most) {
    analysis.report.add(base::E0301, expr.span, what, fmt::format("{} or less", range.most),
                        fmt::format("{}", *value));
    return false;
  }
  result = *value;
  return true;
}

bool LearnValues::set_number(const Expr& expr, const std::string& what, double least, double& result) {
  if (refuse_map(expr, what) || refuse_schedule(expr, what)) return false;
  const auto value = analysis.number(expr, scope, what);
  if (!value) return false;
  if (!std::isfinite(*value) || *value < least) {
    analysis.report.add(base::E0301, expr.span, what, fmt::format("{} or more", least),
                        fmt::format("{}", *value));
    return false;
  }
  if (*value > bounds::most_real) {
    analysis.report.add(base::E0301, expr.span, what, fmt::format("{} or less", bounds::most_real),
                        fmt::format("{}", *value));
    return false;
  }
  result = *value;
  return true;
}

bool LearnValues::refuse_map(const Expr& expr, const std::string& what) {
  if (expr.kind != ExprKind::map) return false;
  analysis.report.add(base::E0301, expr.span, what, "one value", "a map");
  return true;
}

bool LearnValues::refuse_schedule(const Expr& expr, const std::string& what) {
  if (!calls_word(expr) || !schedules().contains(expr.operands[0]->text)) return false;
  analysis.report.add(base::E0301, expr.span, what, "one number", "a schedule")
      .help(
          "`weight`, `beta`, `alpha` and `free_bits` may change over the steps; `schedule` changes the "
          "learning rates");
  return true;
}

bool LearnValues::calls_word(const Expr& expr) const {
  return expr.kind == ExprKind::call && expr.operands[0]->kind == ExprKind::name &&
         !scope.find(expr.operands[0]->text);
}

void LearnValues::set_word(const Expr& expr, const std::string& what, const std::vector<std::string>& words,
                           std::string& result) {
  if (expr.kind == ExprKind::name && std::find(words.begin(), words.end(), expr.text) != words.end()) {
    result = expr.text;
    return;
  }
  report_word(expr, what, words);
}

void LearnValues::report_word(const Expr& expr, const std::string& what,
                              const std::vector<std::string>& words) {
  auto& error = analysis.report.add(base::E0301, expr.span, what, listed(words, "or"),
                                    quoted(expr.span, analysis.sources));
  if (expr.kind == ExprKind::name) suggest(error, expr.text, words);
}

std::optional<LearnValues::Word> LearnValues::word_call(const Expr& expr, const std::string& what,
                                                        const std::map<std::string, Signature>& signatures) {
  const Expr& name = expr.kind == ExprKind::call ? *expr.operands[0] : expr;
  const auto found = name.kind == ExprKind::name ? signatures.find(name.text) : signatures.end();
  if (found == signatures.end()) {
    report_word(name, what, keys_of(signatures));
    return {};
  }
  Word word{found->first, {}};
  for (const auto& [parameter, value] : found->second) word.numbers[parameter] = value;
  std::set<std::string> seen;
  size_t position = 0;
  bool good = true;
  for (const Argument& argument : expr.arguments) {
    std::string parameter;
    if (argument.name) {
      parameter = argument.name->text;
    } else if (position < found->second.size()) {
      parameter = found->second[position++].first;
    } else {
      analysis.report.add(base::E0222, argument.span, word.text, counted(found->second.size(), "argument"),
                          expr.arguments.size());
      return {};
    }
    if (!word.numbers.count(parameter)) {
      suggest_among(analysis.report.add(base::E0221, argument.name->span, word.text, parameter), parameter,
                    keys_of(word.numbers), "it takes");
      good = false;
    } else if (!seen.insert(parameter).second) {
      analysis.report.add(base::E0224, argument.span, parameter);
      good = false;
    } else {
      good = set_number(*argument.value, fmt::format("`{}` of `{}`", parameter, word.text), 0,
                        word.numbers[parameter]) &&
             good;
    }
  }
  if (!good) return {};
  for (const auto& [parameter, fallback] : found->second)
    if (std::isnan(fallback) && !seen.contains(parameter)) {
      analysis.report.add(base::E0223, expr.span, word.text, parameter);
      return {};
    }
  return word;
}

std::optional<std::map<std::string, const Expr*>> LearnValues::entries(
    const Expr& map, const std::string& key, const std::string& what,
    const std::vector<std::string>& needed) {
  std::map<std::string, const Expr*> result;
  bool good = true;
  for (const Argument& entry : map.arguments) {
    const std::string& name = entry.name->text;
    if (std::find(needed.begin(), needed.end(), name) == needed.end()) {
      good = false;
      if (analysis.lost[what].contains(name)) continue;
      const auto declared = analysis.names.find(name);
      const bool source = declared != analysis.names.end() && declared->second.what == "a source";
      auto& error = analysis.report.add(base::E0808, entry.name->span, key, name, what);
      if (source && what == "source") {
        error.note(declared->second.span, "nothing is learned from it");
      } else {
        suggest(error, name, needed);
      }
    } else if (!result.insert({name, entry.value.get()}).second) {
      good = false;
      analysis.report.add(base::E0804, entry.name->span, name);
    }
  }
  std::vector<std::string> missing;
  for (const std::string& name : needed)
    if (!result.count(name)) missing.push_back(name);
  // A wrong name is probably a misspelling of the missing one.
  if (good && !missing.empty()) {
    good = false;
    analysis.report.add(base::E0807, map.span, key, listed(missing)).help("a map names each " + what);
  }
  if (!good) return {};
  return result;
}

std::optional<nlohmann::json> LearnValues::scheduled(const Expr& expr, const std::string& what) {
  if (!calls_word(expr)) {
    double number = 0;
    if (!set_number(expr, what, 0, number)) return {};
    return number;
  }
  const auto word = word_call(expr, what, schedules());
  if (!word) return {};
  const char* length = word->text == "linear" ? "steps" : "period";
  const double steps = word->numbers.at(length);
  if (steps >= 1)
    return nlohmann::json{{"kind", word->text},
                          {"from", word->numbers.at("from")},
                          {"to", word->numbers.at("to")},
                          {"steps", steps}};
  analysis.report.add(base::E0301, expr.span, fmt::format("`{}` of `{}`", length, word->text),
                      "at least 1 step", fmt::format("{}", steps));
  return {};
}

}  // namespace semantics
