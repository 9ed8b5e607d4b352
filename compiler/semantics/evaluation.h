// What the parts of the evaluator share: the graph that is being built, the scopes that nets keep alive, the
// calls that are open, and the family whose body is being evaluated. One per Evaluator.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/semantics/build.h"
#include "compiler/semantics/evaluator.h"
#include "compiler/semantics/family_template.h"

namespace semantics {

class Evaluation;

/// A function of the language. `parameters` lists the names of its arguments, separated by spaces; `a?` may
/// be left out, `a*` takes any number (what follows it goes by name). `run` finds one value per parameter, of
/// kind `none` where it was left out, then those of `a*`.
struct Builtin {
  const char* name;
  const char* parameters;
  struct Call {
    std::string name;
    std::vector<Value> arguments;
    base::Span span;
    const ParameterContext& context;
  };
  Value (*run)(Evaluation&, const Call&);
};

/// The functions of section 6, and those that only a family's body has.
const std::vector<Builtin>& pointwise_builtins();
const std::vector<Builtin>& tensor_builtins();
const std::vector<Builtin>& layer_builtins();
const std::vector<Builtin>& family_builtins();

/// The parameters of something that is called.
struct Signature {
  std::string name;
  struct Parameter {
    std::string name;
    bool optional = false;
    bool variadic = false;
  };
  std::vector<Parameter> parameters;
  std::vector<std::string> instead;  // what it takes by name in other forms of the call
};
Signature signature_of(const Builtin& builtin);
const Builtin* find_builtin(const std::string& name);

/// What a family's body may say.
struct FamilyProperty {
  const char* name;
  bool required;
  bool of_x;           // may depend on x
  bool of_parameters;  // may depend on parameters that are not fixed
  bool drawn;          // may hold draws
};
const std::vector<FamilyProperty>& family_properties();

/// One position of a family's variable: axis 0 of a vector, the rest is the shape of the positions.
struct FamilyFrame {
  Shape positions;
  Shape variable_shape;  // of x as a tensor
  int64_t classes = 0;
  NodeId index;    // x as a class index, and
  NodeId one_hot;  // the same as one-hot
};

class Evaluation {
 public:
  Evaluation(Evaluator& evaluator, Scope& top, Model& model, base::SourceSet& sources, base::Report& report);

  // ---- expressions (evaluate_expression.cpp, arithmetic.cpp)
  Value evaluate(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  Value unary(const std::string& op, const Value& a, base::Span at);
  Value binary(const std::string& op, const Value& a, const Value& b, base::Span at);
  /// Compile-time numbers give numbers, tensors stretch to one shape.
  Value pointwise(Op op, const std::string& name, const std::vector<Value>& inputs, base::Span at);
  /// Stretches tensors to one shape; false after an error.
  bool align(std::vector<NodeId>& nodes, const std::vector<Value>& origins, base::Span at);
  Value index(const Value& value, const syntax::Expr& expr, Scope& scope, const ParameterContext& context);

  // ---- statements and calls (call.cpp)
  /// Runs statements; the value of the `return` that was reached.
  std::optional<Value> run(const syntax::Block& block, Scope& scope, const ParameterContext& context);
  void bind(const syntax::Assign& assign, Scope& scope, const ParameterContext& context);
  Value call(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  Value call_value(const Value& function, const std::vector<syntax::Argument>& written,
                   const std::vector<Value>& arguments, base::Span at, const ParameterContext& context);
  Value call_net(const Value& net, const std::vector<Value>& matched, base::Span at,
                 const ParameterContext& context);
  /// The arguments in the order of the parameters, kind none for those left out; nothing after an error.
  std::optional<std::vector<Value>> match(const Signature& signature,
                                          const std::vector<syntax::Argument>& written,
                                          const std::vector<Value>& arguments, base::Span at);
  /// The items of a list or `range(a, b)` call; nothing after an error.
  std::optional<std::vector<Value>> loop_items(const syntax::Expr& range, Scope& scope,
                                               const ParameterContext& context);

  // ---- conversions (convert.cpp): errors are reported, then nothing comes back
  NodeId tensor(const Value& value, base::Span at);
  std::optional<int64_t> integer(const Value& value, const std::string& what, base::Span at);
  std::optional<double> real(const Value& value, const std::string& what, base::Span at);
  std::optional<std::vector<int64_t>> integers(const Value& value, const std::string& what, base::Span at);
  /// A number or a list of two.
  std::optional<std::pair<int64_t, int64_t>> pair(const Value& value, const std::string& what, int64_t least,
                                                  base::Span at);
  std::optional<int64_t> axis(const Value& value, const Shape& shape, base::Span at, int64_t fallback = 0);
  /// In a family's body the axes of the positions follow those of the value at one position, which are all
  /// that the body speaks of. Elsewhere every axis is the value's own.
  size_t own_rank(const Shape& shape) const;
  Shape own_shape(const Shape& shape) const;
  Shape at_positions(Shape own) const;
  /// By the rule of section 7. `needs` is what needs the shape, `whose` follows the shape (" like x"), and
  /// the note says that `declared` is declared at `declared_at`.
  NodeId fit(const Value& value, const Shape& shape, const std::string& needs, const std::string& whose,
             const std::string& declared, base::Span at, base::Span declared_at);

  Value from_node(NodeId node, base::Span span) const;
  const Shape& shape(NodeId id) const { return build.shape(id); }

  // ---- parameters (layers.cpp)
  NodeId parameter(const ParameterContext& context, const std::string& layer, const std::string& what,
                   const Shape& shape, const Initial& initial);
  std::string layer_name(const ParameterContext& context, const std::string& layer);

  // ---- families (family_template.cpp, expand_family.cpp, check_family.cpp)
  FamilyTemplate make_template(const syntax::FamilyDecl& decl, const Domain& domain, const Shape& shape,
                               const std::map<std::string, Value>& fixed);
  /// The same, made once.
  std::shared_ptr<const FamilyTemplate> template_of(const syntax::FamilyDecl& decl, const Domain& domain,
                                                    const Shape& shape,
                                                    const std::map<std::string, Value>& fixed);
  FamilyFrame frame_of(const syntax::FamilyDecl& decl, const Domain& domain, const Shape& shape) const;
  /// K where the declaration gives it as a number: `category(4)`, `real[k]` with a param k.
  std::optional<int64_t> declared_extent(const syntax::FamilyDecl& decl);
  /// Refuses what a property must not depend on; false after an error.
  bool check_dependence(const syntax::FamilyDecl& decl, const FamilyTemplate& t,
                        const FamilyProperty& property, NodeId node, base::Span at);
  /// A scope for a family's body, with the names of its domain (K) and its fixed parameters.
  Scope& body_scope(const syntax::FamilyDecl& decl, const FamilyFrame& frame,
                    const std::map<std::string, Value>& fixed);
  /// The shape of a parameter: its declared one, then the positions'. Nothing after an error.
  std::optional<Shape> parameter_shape(const syntax::DomainExpr* domain, const FamilyFrame& frame,
                                       Scope& scope);
  bool expand_family(const syntax::Expr& family_call, Conditional& conditional, Scope& scope,
                     const ParameterContext& context);
  void check_call(const syntax::Expr& family_call, Scope& scope, const ParameterContext& context);
  void observe_family(const syntax::Expr& call, const FamilyTemplate& form) const;
  /// The numeric check of one family with these fixed values; reports. `anew`: even if the cache has it.
  void check_family(const syntax::FamilyDecl& decl, const std::map<std::string, Value>& fixed,
                    base::Span used_at, bool anew = false);
  void check_families();
  /// Scope in which a family's body stands: the file's for the user's, the language's alone for the
  /// library's.
  Scope& family_scope(const syntax::FamilyDecl& decl);
  bool is_standard(const syntax::FamilyDecl& decl) const { return decl.name.span.file == standard_file; }

  // ---- diagnostics
  /// Adds an error, with notes for the calls of nets that led to it. One inside a net of the library is shown
  /// at the user's call of it, with a note for the place inside.
  base::Diagnostic& error(base::Code code, base::Span at);
  template <class... Arguments>
  base::Diagnostic& error(base::Code code, base::Span at, const Arguments&... arguments) {
    return with_calls(report.add(code, at, arguments...));
  }
  base::Diagnostic& with_calls(base::Diagnostic& diagnostic);

  /// Notes where the value's shape comes from.
  void note_origin(base::Diagnostic& diagnostic, const Value& value) const;

  Evaluator& evaluator;
  Scope& top;
  Model& model;
  base::SourceSet& sources;
  base::Report& report;
  Build build;
  // Scopes, innermost first: the file's (top), the library's families, the functions of the language. A
  // family's body also has words of its own; the library's sees nothing of the file.
  Scope builtins, library, library_family_words, user_family_words;
  std::deque<Scope> kept_scopes;
  syntax::Tree families;  // stdlib/families.vae
  base::FileId standard_file;
  FamilyFrame* frame = nullptr;

 private:
  struct OpenCall {
    std::string name;
    base::Span span;
  };
  Value evaluate_kind(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  Value name(const syntax::Expr& expr, Scope& scope);
  Value field(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  Value list(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  Value matmul(const Value& a, const Value& b, base::Span at);
  Value index_list(const Value& value, const syntax::Expr& expr, Scope& scope,
                   const ParameterContext& context);
  std::optional<int64_t> position(const Value& value, int64_t length, const std::string& whole,
                                  base::Span at);
  std::optional<std::pair<int64_t, int64_t>> range_of(const syntax::Subscript& subscript, int64_t length,
                                                      Scope& scope, const ParameterContext& context,
                                                      const std::string& whole, bool tensor);
  /// `p.z1(z0)`; nothing if the expression is no such call.
  std::optional<Value> call_player(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);

  std::vector<OpenCall> open_calls_;
  int64_t statements_ = 0;
  bool unwinding_ = false;  // a recursion without end was reported
  std::map<std::string, int> own_layer_counts_;
  std::map<std::string, std::shared_ptr<const FamilyTemplate>> templates_;
  struct Use {
    const syntax::FamilyDecl* decl;
    std::map<std::string, Value> fixed;
    base::Span span;
  };
  std::map<std::string, Use> uses_;
};

/// Builds into another graph, within another family's frame, for as long as it lives.
class Inside {
 public:
  Inside(Evaluation& evaluation, Graph& graph, FamilyFrame& frame) : evaluation_(evaluation) {
    graph_ = std::exchange(evaluation.build.graph, &graph);
    frame_ = std::exchange(evaluation.frame, &frame);
  }
  ~Inside() {
    evaluation_.build.graph = graph_;
    evaluation_.frame = frame_;
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Evaluation& evaluation_;
  Graph* graph_;
  FamilyFrame* frame_;
};

/// Whether every element of the domain's tensor may be this number; for `category`, whether it is a class.
bool admits(const Domain& domain, double value);
std::optional<DomainKind> kind_of_domain(const std::string& name);
bool holds_number(const Value& value);
double number_in(const Value& value);
/// Where an argument of a call stands, for errors about it.
base::Span place_of(const Value& value, base::Span otherwise);
/// "an integer", "a tensor of shape [3]", "a net".
std::string describe(const Value& value, const Graph& graph);
/// A compile-time value as text; two equal ones give the same.
std::string key_of(const Value& value);
std::string describe(const Domain& domain);
Value integer_value(int64_t value);
Value real_value(double value);
Value boolean_value(bool value);

/// A builtin that is one element-wise operation.
template <Op op>
Value elementwise(Evaluation& e, const Builtin::Call& call) {
  return e.pointwise(op, call.name, call.arguments, call.span);
}

}  // namespace semantics
