// The values of a learn block's keys: numbers in their ranges, words, calls of words such as `adam(1e-3)`,
// maps. Errors are reported; `what` is the name of the key in messages.
#pragma once
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/semantics/analysis.h"
#include "runtime/schema/setting_bounds.h"

namespace semantics {

struct LearnValues {
  using Expr = syntax::Expr;

  Analysis& analysis;
  Scope& scope;

  bool set_integer(const Expr& expr, const std::string& what, WholeRange range, int64_t& result);

  bool set_number(const Expr& expr, const std::string& what, double least, double& result);

  bool refuse_map(const Expr& expr, const std::string& what);

  /// Refuses `linear(...)` and `cyclical(...)` where a number cannot change over the steps.
  bool refuse_schedule(const Expr& expr, const std::string& what);

  /// Whether `expr` calls a word, as in `adam(1e-3)`: no function that the file or the library declares.
  bool calls_word(const Expr& expr) const;

  void set_word(const Expr& expr, const std::string& what, const std::vector<std::string>& words,
                std::string& result);

  void report_word(const Expr& expr, const std::string& what, const std::vector<std::string>& words);

  /// `adam` or `adam(1e-3, beta1 = 0.9)`: the word and its numbers. Numbers that are not given have their
  /// defaults. None if it is not one of the words.
  struct Word {
    std::string text;
    std::map<std::string, double> numbers;
  };

  /// Parameters with their defaults. `required` marks a parameter without a default.
  using Signature = std::vector<std::pair<std::string, double>>;
  static constexpr double required = std::numeric_limits<double>::quiet_NaN();

  std::optional<Word> word_call(const Expr& expr, const std::string& what,
                                const std::map<std::string, Signature>& signatures);

  /// The entries of a map by name. It must have each name of `needed` once, and no other. `what` is "source"
  /// or "player".
  std::optional<std::map<std::string, const Expr*>> entries(const Expr& map, const std::string& key,
                                                            const std::string& what,
                                                            const std::vector<std::string>& needed);

  /// A number, or its schedule: {"kind", "from", "to", "steps"}.
  std::optional<nlohmann::json> scheduled(const Expr& expr, const std::string& what);
};

}  // namespace semantics
