// What the parts of `analyse` share while one file is analysed: the unfinished model, the top-level
// namespace, and which variables are determined. It lives as long as the analysis; scopes point into it.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "compiler/semantics/analyse.h"
#include "compiler/semantics/expressions/evaluator.h"
#include "compiler/semantics/suggest.h"
#include "runtime/shared/counted.h"

namespace semantics {

/// A name of the top level: where it is declared, and what it is (`a variable`, `a net`).
struct Declared {
  base::Span span;
  std::string what;
};

/// The variables that a declared name stands for: one variable, or the elements of an array.
struct VariableGroup {
  bool array = false;
  std::vector<VariableId> ids;
};

struct Analysis {
  Model& model;
  Evaluator& evaluator;
  base::SourceSet& sources;
  base::Report& report;
  const Options& options;

  std::map<std::string, Declared> names;
  std::map<std::string, VariableGroup> variables;
  std::deque<Scope> scopes;         // nets keep pointers to the scope in which they were declared
  std::set<VariableId> determined;  // a source gives it, or it is the target of a conditional
  bool lost_reference = false;      // some reference to a variable is unknown
  /// By what they should be ("variable", "player", "source"): names whose declaration was refused because
  /// they are taken, and names of variables that were reported as unknown. Their further uses are no errors.
  std::map<std::string, std::set<std::string>> lost;
  std::set<PlayerId> failed_players;  // some conditional could not be evaluated
  bool broken_import = false;         // an imported file has syntax errors
  int64_t noise_count = 0;            // calls of noise so far
  /// The columns that are leaves of the graph, by their variable, whether they are whole, and their text.
  std::map<std::tuple<VariableId, Column::Values, std::string>, int32_t> leaf_columns;

  Scope& new_scope(Scope* outer);

  /// Whether a declaration of a source or player was refused because its name is taken. Variables that only
  /// it gives are then not reported as missing.
  bool is_refused(const syntax::Name& name);
  /// Counts a statement that is unrolled. False if there are more than most_statements; the first time, that
  /// is an error.
  bool count_statement(int64_t& statements, base::Span at);

  /// Returns false if `name` is taken, and reports an error that shows its first declaration.
  bool declare(const syntax::Name& name, const std::string& what);

  /// Is `name` a variable whose declaration has an error? The error was reported there.
  bool failed_variable(const std::string& name) const;

  /// `z` or `z[1]` as a target or parent; none after an error.
  std::optional<VariableId> resolve(const syntax::Reference& reference, Scope& scope);

  /// An integer of at least `least`; none after an error.
  std::optional<int64_t> integer(const syntax::Expr& expr, Scope& scope, const std::string& what,
                                 int64_t least);

  /// A real or an integer; none after an error.
  std::optional<double> number(const syntax::Expr& expr, Scope& scope, const std::string& what);
};

/// The context where no parameters may be created: sources and the top level.
ParameterContext no_parameters();

/// The text at a place as it stands in the file, such as "`adam(3)`". If it is long, "this".
std::string quoted(base::Span at, const base::SourceSet& sources);

/// "`a`, `b` and `c`".
std::string listed(const std::vector<std::string>& names, const char* last = "and");

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.first);
  return keys;
}

bool is_number(const Value& value);
double number_of(const Value& value);
/// "an integer", "a table": for messages.
std::string kind_name(const Value& value);
/// A compile-time value, written as in the language.
std::string text_of(const Value& value);
/// The elements of `for v in range`, compile-time values; none after an error.
std::optional<std::vector<Value>> loop_values(const syntax::Expr& range, Scope& scope, Analysis& analysis);
/// Which branch an `if` of a player or a source takes; none after an error.
std::optional<bool> chosen(const syntax::If& choice, Scope& scope, Analysis& analysis);

/// The most statements to which one kind of block may unroll. No sensible file has more.
constexpr int64_t most_statements = 1'000'000;

/// The files of the program. Imports come before the files that import them; the last file is the program
/// itself.
using Files = std::vector<const syntax::Tree*>;

/// Reads everything that `tree` imports. The trees are owned by `owned`.
Files read_imports(const syntax::Tree& tree, std::deque<syntax::Tree>& owned, Analysis& analysis);

/// Enters every top-level name, then evaluates params (with -D), lets and variables, each after the names
/// that it uses.
void declare_names(const Files& files, Analysis& analysis);

/// `param NAME = expr`, or the value from -D. Binds the name.
void declare_param(const syntax::ParamDecl& param, Analysis& analysis);
/// Reports each -D whose name no param has. Called after all params.
void check_defines(Analysis& analysis);

/// Returns false after an error in the declaration of a family, which is checked without evaluating it.
bool declare_family(const syntax::FamilyDecl& decl, base::Report& report);
/// The words for domains, for suggestions.
std::vector<std::string> domain_names();

void declare_variables(const syntax::VarDecl& declaration, Analysis& analysis);
/// Reports variables that nothing gives. Called after players and sources.
void check_determined(Analysis& analysis);

/// Enters all players and evaluates their conditionals.
void analyse_players(const syntax::Tree& tree, Analysis& analysis);
void analyse_sources(const syntax::Tree& tree, Analysis& analysis);
/// `publish (c, x)`. Called after the variables.
void analyse_publication(const syntax::Tree& tree, Analysis& analysis);
void analyse_learn(const syntax::Tree& tree, Analysis& analysis);
/// Reports unknown names in nets that nothing calls. Called after players and sources.
void check_uncalled_nets(Analysis& analysis);

}  // namespace semantics
