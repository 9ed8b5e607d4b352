// Evaluates expressions. In: syntax expressions and a scope. Out: compile-time values, or tensors as nodes of
// the model's graph. Nets are called, `for` and `if` unrolled, shapes inferred and checked, and parameters
// created. Errors go to the report. The result is then a Value of kind `error`, which causes no further
// errors. Data expressions of sources (readers, rows, noise) are evaluated in data_expression.cpp.
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
    net,        // net, with the scope in which it was declared
    builtin,    // text: relu, dense, ...
    family,     // family
    player,     // index: PlayerId; `p.z1(...)` and `p.z[1](...)` are calls through it
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
  /// For a net declared inside a player: the name under which its calls share parameters.
  std::string net_instance;
  const syntax::FamilyDecl* family = nullptr;
  std::shared_ptr<const schema::DataExpression> data;
  base::Span span;     // where the value comes from, for notes
  base::Span written;  // for an argument of a function of the language: its place in the call
};

/// The help for `a / b` in the place of an integer.
constexpr const char* quotient_help = "`/` gives a real; the quotient of two integers is `div(a, b)`";

/// A real as the language writes it: `3.0`, not `3`.
std::string real_text(double value);

/// The names in force, innermost first. `for` and `if` do not open a scope.
struct Scope {
  Scope* outer = nullptr;
  std::map<std::string, Value> names;
  Value* find(const std::string& name);
  std::vector<std::string> all_names() const;  // for suggestions
};

/// Where new parameters go: their owner, and the dotted path in their names.
struct ParameterContext {
  PlayerId owner;    // index -1: parameters are an error (sources, top level)
  std::string path;  // "p.x"; layers are numbered under it
  std::map<std::string, int>* layer_counts = nullptr;  // names already used under the player
  bool shared = false;  // uses a parameter of the same name again instead of creating a new one
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

  /// Evaluates to a compile-time value, or reports an error. `what` is the subject of "must be known when
  /// compiling".
  Value constant(const syntax::Expr& expr, Scope& scope, const std::string& what);

  /// `let a = e`, `(a, b) = e`: binds the names in `scope`.
  void bind(const syntax::Assign& assign, Scope& scope, const ParameterContext& context);

  /// The conditional `target | parents ~ expr`. Looks the family up, and evaluates and fits its arguments.
  /// Expands the statistic, natural parameters, log-partition, log-base, sample and mean into the graph.
  /// Fills family, arguments, log_density, sample, mean, initial, parameters and discrete. Returns false
  /// after an error.
  bool expand_family(const syntax::Expr& family_call, Conditional& conditional, Scope& scope,
                     const ParameterContext& context);

  /// Reports the errors within the call of a family whose target has an error.
  void check_call(const syntax::Expr& family_call, Scope& scope, const ParameterContext& context);

  /// How `p.z1(z0)` finds the arguments of a conditional; `analyse` sets it. The given values replace the
  /// parents, in the listed order. Returns the family's arguments: one tensor or a tuple. `averaged`:
  /// `average(p).z1(z0)`, constants that are computed with the moving averages of p's parameters.
  std::function<Value(PlayerId, VariableId, const std::vector<Value>&, bool averaged, base::Span)> refer;

  /// The numeric check of each family that the file uses (tests check the library's own families).
  void check_families();
  /// The same check for the library's own families, for tests.
  void check_standard_families();

  /// Calls a function of the language (`gelu`) on tensors of one shape, one for each of its parameters.
  NodeId call(const std::string& function, const std::vector<NodeId>& inputs, base::Span at);

  /// Every declared net, with the scope for the free names of its body; and the nets that were called.
  struct DeclaredNet {
    const syntax::NetDecl* net;
    Scope* scope;
  };
  std::vector<DeclaredNet> nets;
  std::set<const syntax::NetDecl*> called;

  /// Records the value at the place `at`, if an editor asked for it.
  void observe(base::Span at, const Value& value);
  Observations* observed = nullptr;

  NodeId constant_node(double value);
  NodeId variable_node(VariableId id);
  /// `value` as a tensor of `shape` (docs/language.md says what fits). Reports an error and returns none if
  /// it does not fit.
  NodeId fit(const Value& value, const Shape& shape, const std::string& what, base::Span at,
             base::Span declared_at);

 private:
  Scope top_;
  std::shared_ptr<Evaluation> evaluation_;
};

}  // namespace semantics
