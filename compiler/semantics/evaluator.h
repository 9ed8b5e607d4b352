// Expressions to values. In: syntax expressions and a scope. Out: compile-time values, or tensors as nodes of
// the model's graph; nets are called, `for` and `if` unrolled, shapes inferred and checked, parameters made.
// Errors go to the report; a Value of kind `error` then stands for the result and causes no further errors.
// Data expressions of sources (readers, rows, noise) are not evaluated here; sources.cpp does that.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/semantics/model.h"
#include "compiler/semantics/observations.h"
#include "compiler/syntax/tree.h"

namespace semantics {

struct Scope;

struct Value {
  enum class Kind {
    error,
    integer,
    real,
    boolean,
    string,
    list,       // items
    tuple,      // items
    tensor,     // node
    net,        // net, with the scope it was declared in
    builtin,    // text: relu, dense, ...
    family,     // family
    player,     // index: PlayerId; `p.z1(...)`, `p.z[1](...)` are called through it
    data,       // data: a table or column expression of runtime/image.md (sources only)
    variables,  // items: the elements of an array variable, tensors
    none,       // the word `none`
  };
  Kind kind = Kind::error;
  int64_t integer = 0;  // also a player's index
  double real = 0;
  bool boolean = false;
  std::string text;
  std::vector<Value> items;
  NodeId node;
  const syntax::NetDecl* net = nullptr;
  Scope* net_scope = nullptr;
  std::string net_instance;  // of a net declared inside a player: calls share parameters under this name
  const syntax::FamilyDecl* family = nullptr;
  nlohmann::json data;
  base::Span span;     // where the value comes from, for notes
  base::Span written;  // as an argument of a function of the language: where it stands in the call
};

/// Where `a / b` stands for an integer.
constexpr const char* quotient_help = "`/` gives a real; the quotient of two integers is `div(a, b)`";

/// As the language writes it: `3.0`, not `3`.
std::string real_text(double value);

/// Names in force, innermost first. `for` and `if` open none.
struct Scope {
  Scope* outer = nullptr;
  std::map<std::string, Value> names;
  Value* find(const std::string& name);
  std::vector<std::string> all_names() const;  // for suggestions
};

/// Where new parameters go: the owner, and the dotted path that names them.
struct ParameterContext {
  PlayerId owner;    // index -1: parameters are an error (sources, top level)
  std::string path;  // "p.x"; layers are numbered under it
  std::map<std::string, int>* layer_counts = nullptr;  // names already used under the player
  bool shared = false;  // a parameter of the same name is taken again rather than made anew
};

class Evaluation;

class Evaluator {
 public:
  Evaluator(Model& model, base::SourceSet& sources, base::Report& report);
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  /// The scope of the file: declared names, then builtins and the standard families.
  Scope& top() { return top_; }

  Value evaluate(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);

  /// Compile-time values only; reports what is not one. `what` completes "must be known when compiling".
  Value constant(const syntax::Expr& expr, Scope& scope, const std::string& what);

  /// `let a = e`, `(a, b) = e`: binds the names in `scope`.
  void bind(const syntax::Assign& assign, Scope& scope, const ParameterContext& context);

  /// The conditional `target | parents ~ expr`: looks the family up, evaluates and fits its arguments,
  /// expands statistic, natural parameters, log-partition, log-base, sample and mean into the graph. Fills
  /// family, arguments, log_density, sample, mean, initial, parameters, discrete; false after an error.
  bool expand_family(const syntax::Expr& family_call, Conditional& conditional, Scope& scope,
                     const ParameterContext& context);

  /// The errors within a family's call whose target is itself in error.
  void check_call(const syntax::Expr& family_call, Scope& scope, const ParameterContext& context);

  /// How `p.z1(z0)` finds the parameters of a conditional: set by analyse; arguments stand for the parents
  /// in listed order. Returns the family's arguments, one tensor or a tuple. `averaged`: `average(p).z1(z0)`,
  /// constants that are computed with the moving averages of p's parameters.
  std::function<Value(PlayerId, VariableId, const std::vector<Value>&, bool averaged, base::Span)> refer;

  /// The numeric check of section 5 for each family that the file uses (the library's own are checked in
  /// tests).
  void check_families();
  /// The same for the library's own, for tests.
  void check_standard_families();

  /// A function of the language (`gelu`) on tensors of one shape, as many as it has parameters.
  NodeId call(const std::string& function, const std::vector<NodeId>& inputs, base::Span at);

  /// Every net that has been declared, with the scope of its body's free names; those that were called.
  struct DeclaredNet {
    const syntax::NetDecl* net;
    Scope* scope;
  };
  std::vector<DeclaredNet> nets;
  std::set<const syntax::NetDecl*> called;

  /// Keeps what stands at `at`, if an editor asked.
  void observe(base::Span at, const Value& value);
  Observations* observed = nullptr;

  NodeId constant_node(double value);
  NodeId variable_node(VariableId id);
  /// `value` as a tensor of `shape`, by the fitting rule of section 7; reports and returns none if it does
  /// not fit.
  NodeId fit(const Value& value, const Shape& shape, const std::string& what, base::Span at,
             base::Span declared_at);

 private:
  Scope top_;
  std::shared_ptr<Evaluation> evaluation_;
};

}  // namespace semantics
