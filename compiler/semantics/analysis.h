// What the parts of analyse share while one file is analysed: the model in the making, the top-level
// namespace, and which variables something determines. Lives as long as the analysis; scopes point into it.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compiler/semantics/analyse.h"
#include "compiler/semantics/evaluator.h"
#include "compiler/semantics/suggest.h"
#include "runtime/counted.h"

namespace semantics {

/// A name of the top level: where it is declared, and as what (`a variable`, `a net`).
struct Declared {
  base::Span span;
  std::string what;
};

/// The variables that a declared name stands for: one, or the elements of an array.
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
  std::deque<Scope> scopes;           // nets keep pointers to the scope they were declared in
  std::set<VariableId> determined;    // given by a source, or the target of a conditional
  bool lost_reference = false;        // some reference to a variable could not be resolved
  std::set<std::string> lost_names;   // reported as no variables: once is enough
  std::set<PlayerId> failed_players;  // some conditional could not be evaluated
  bool broken_import = false;         // an imported file has syntax errors
  int64_t noise_count = 0;            // calls of noise so far

  Scope& new_scope(Scope* outer);

  /// False, after an error that shows the first place, if `name` is taken.
  bool declare(const syntax::Name& name, const std::string& what);

  /// Is `name` a variable whose declaration failed? That has been reported there.
  bool failed_variable(const std::string& name) const;

  /// `z` or `z[1]` as a target or parent; none after an error.
  std::optional<VariableId> resolve(const syntax::Reference& reference, Scope& scope);

  /// An integer of at least `least`; none after an error.
  std::optional<int64_t> integer(const syntax::Expr& expr, Scope& scope, const std::string& what,
                                 int64_t least);

  /// A real or an integer; none after an error.
  std::optional<double> number(const syntax::Expr& expr, Scope& scope, const std::string& what);
};

/// Where parameters may not be made: sources and the top level.
ParameterContext no_parameters();

/// The text at a place as the file has it, "`adam(3)`"; "this" where it is long.
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
/// A compile-time value as the language writes it.
std::string text_of(const Value& value);
/// The elements of `for v in range`, compile-time values; none after an error.
std::optional<std::vector<Value>> loop_values(const syntax::Expr& range, Scope& scope, Analysis& analysis);
/// Which branch an `if` of a player or a source takes; none after an error.
std::optional<bool> chosen(const syntax::If& choice, Scope& scope, Analysis& analysis);

/// The limit of statements that one kind of block may unroll to: what a file of a few lines cannot mean.
constexpr int64_t most_statements = 1'000'000;

/// One file of the program, imports before the files that import them; the last one is the program itself.
using Files = std::vector<const syntax::Tree*>;

/// Reads everything that `tree` imports. The trees are owned by `owned`.
Files read_imports(const syntax::Tree& tree, std::deque<syntax::Tree>& owned, Analysis& analysis);

/// Enters every top-level name, then evaluates params (with -D), lets and variables in the order they need.
void declare_names(const Files& files, Analysis& analysis);

/// `param NAME = expr`, or what -D says; binds the name.
void declare_param(const syntax::ParamDecl& param, Analysis& analysis);
/// Errors for -D of names that no param has. After all params.
void check_defines(Analysis& analysis);

/// False after an error in the words of a family's declaration.
bool declare_family(const syntax::FamilyDecl& decl, base::Report& report);
/// The words for domains, for suggestions.
std::vector<std::string> domain_names();

void declare_variables(const syntax::VarDecl& declaration, Analysis& analysis);
/// Errors for variables that nothing gives. After players and sources.
void check_determined(Analysis& analysis);

/// Enters all players and evaluates their conditionals.
void analyse_players(const syntax::Tree& tree, Analysis& analysis);
void analyse_sources(const syntax::Tree& tree, Analysis& analysis);
/// `publish (c, x)`. After the variables.
void analyse_publication(const syntax::Tree& tree, Analysis& analysis);
void analyse_learn(const syntax::Tree& tree, Analysis& analysis);
/// Errors for unknown names in nets that nothing called. After players and sources.
void check_uncalled_nets(Analysis& analysis);

}  // namespace semantics
