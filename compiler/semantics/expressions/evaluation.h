// What the parts of the evaluator share: the graph under construction, the scopes that nets keep, the open
// calls, and the family whose body is being evaluated. Each Evaluator has one.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/semantics/expressions/evaluator.h"
#include "compiler/semantics/families/family_template.h"
#include "compiler/semantics/graph/build.h"
#include "compiler/semantics/graph/elementwise.h"

namespace semantics {

class Evaluation;

/// A function of the language. `parameters` lists the names of its arguments, separated by spaces. `a?` is
/// optional; `a*` takes any number of arguments, and those after it are given by name. `run` gets one value
/// for each parameter (of kind `none` if left out), then the values of `a*`.
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

/// The functions of the language, and those that only the body of a family may call.
const std::vector<Builtin>& pointwise_builtins();
/// Those that are one element-wise operation.
std::vector<Builtin> elementwise_builtins(Notation::Kind kind);
const std::vector<Builtin>& tensor_builtins();
const std::vector<Builtin>& layer_builtins();
const std::vector<Builtin>& family_builtins();

/// The parameters of anything that can be called.
struct Signature {
  std::string name;
  struct Parameter {
    std::string name;
    bool optional = false;
    bool variadic = false;
  };
  std::vector<Parameter> parameters;
  std::vector<std::string> instead;  // names of arguments in other forms of the call
};
Signature signature_of(const Builtin& builtin);
const Builtin* find_builtin(const std::string& name);

/// A property that the body of a family may assign.
struct FamilyProperty {
  const char* name;
  bool required;
  bool of_x;           // may depend on x
  bool of_parameters;  // may depend on parameters that are not fixed
  bool drawn;          // may contain draws
};
const std::vector<FamilyProperty>& family_properties();

/// What a family's body works on: the value of its variable at one position. For a vector, axis 0 belongs to
/// the value; the other axes are the positions.
struct FamilyFrame {
  Shape positions;
  Shape variable_shape;  // of x as a tensor
  int64_t classes = 0;
  NodeId index;    // x as a class index
  NodeId one_hot;  // x as one-hot
};

class Evaluation {
 public:
  Evaluation(Evaluator& evaluator, Scope& top, Model& model, base::SourceSet& sources, base::Report& report);

  // ---- expressions (evaluate_expression.cpp, arithmetic.cpp)
  Value evaluate(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  Value unary(const std::string& op, const Value& a, base::Span at);
  Value binary(const std::string& op, const Value& a, const Value& b, base::Span at);
  /// If all inputs are compile-time numbers, the result is a number. Tensors are stretched to one shape.
  Value pointwise(Op op, const std::string& name, const std::vector<Value>& inputs, base::Span at);
  /// Stretches tensors to one shape; false after an error.
  bool align(std::vector<NodeId>& nodes, const std::vector<Value>& origins, base::Span at);
  Value index(const Value& value, const syntax::Expr& expr, Scope& scope, const ParameterContext& context);

  // ---- statements and calls (call.cpp)
  /// Runs statements. Returns the value of the `return` that was reached.
  std::optional<Value> run(const syntax::Block& block, Scope& scope, const ParameterContext& context);
  void bind(const syntax::Assign& assign, Scope& scope, const ParameterContext& context);
  Value call(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  Value call_value(const Value& function, const std::vector<syntax::Argument>& written,
                   const std::vector<Value>& arguments, base::Span at, const ParameterContext& context);
  Value call_net(const Value& net, const std::vector<Value>& matched, base::Span at,
                 const ParameterContext& context);
  /// The arguments in the order of the parameters, with kind `none` for those left out. None after an error.
  std::optional<std::vector<Value>> match(const Signature& signature,
                                          const std::vector<syntax::Argument>& written,
                                          const std::vector<Value>& arguments, base::Span at);
  /// The items of a list, or of a call `range(a, b)`. None after an error.
  std::optional<std::vector<Value>> loop_items(const syntax::Expr& range, Scope& scope,
                                               const ParameterContext& context);

  // ---- conversions (convert.cpp): after an error, which is reported, they return nothing
  NodeId tensor(const Value& value, base::Span at);
  std::optional<int64_t> integer(const Value& value, const std::string& what, base::Span at);
  std::optional<double> real(const Value& value, const std::string& what, base::Span at);
  std::optional<std::vector<int64_t>> integers(const Value& value, const std::string& what, base::Span at);
  /// A number or a list of two.
  std::optional<std::pair<int64_t, int64_t>> pair(const Value& value, const std::string& what, int64_t least,
                                                  base::Span at);
  std::optional<int64_t> axis(const Value& value, const Shape& shape, base::Span at, int64_t fallback = 0);
  /// In a family's body, the axes of the positions follow the axes of the value at one position; the body can
  /// see only the latter. Elsewhere, all axes are the value's own.
  size_t own_rank(const Shape& shape) const;
  Shape own_shape(const Shape& shape) const;
  Shape at_positions(Shape own) const;
  /// Fits a value to a shape. For the message: `needs` is what needs the shape, `whose` is text after the
  /// shape (" like x"), and a note says that `declared` is declared at `declared_at`.
  NodeId fit(const Value& value, const Shape& shape, const std::string& needs, const std::string& whose,
             const std::string& declared, base::Span at, base::Span declared_at);

  Value from_node(NodeId node, base::Span span) const;
  const Shape& shape(NodeId id) const { return build.shape(id); }

  // ---- parameters (layer_builtins.cpp)
  NodeId parameter(const ParameterContext& context, const std::string& layer, const std::string& what,
                   const Shape& shape, const Initial& initial);
  std::string layer_name(const ParameterContext& context, const std::string& layer);

  // ---- families (family_template.cpp, expand_family.cpp, check_family.cpp)
  FamilyTemplate make_template(const syntax::FamilyDecl& decl, const Domain& domain, const Shape& shape,
                               const std::map<std::string, Value>& fixed);
  /// The same template, made only once.
  std::shared_ptr<const FamilyTemplate> template_of(const syntax::FamilyDecl& decl, const Domain& domain,
                                                    const Shape& shape,
                                                    const std::map<std::string, Value>& fixed);
  FamilyFrame frame_of(const syntax::FamilyDecl& decl, const Domain& domain, const Shape& shape) const;
  /// K, if the declaration gives it as a number: `category(4)`, or `real[k]` with a param k.
  std::optional<int64_t> declared_extent(const syntax::FamilyDecl& decl);
  /// Reports a property that depends on what it must not depend on. Returns false then.
  bool check_dependence(const syntax::FamilyDecl& decl, const FamilyTemplate& t,
                        const FamilyProperty& property, NodeId node, base::Span at);
  /// A scope for a family's body, with the names of its domain (K) and its fixed parameters.
  Scope& body_scope(const syntax::FamilyDecl& decl, const FamilyFrame& frame,
                    const std::map<std::string, Value>& fixed);
  /// The shape of a parameter: its declared shape, then that of the positions. None after an error.
  std::optional<Shape> parameter_shape(const syntax::DomainExpr* domain, const FamilyFrame& frame,
                                       Scope& scope);
  bool expand_family(const syntax::Expr& family_call, Conditional& conditional, Scope& scope,
                     const ParameterContext& context);
  void check_call(const syntax::Expr& family_call, Scope& scope, const ParameterContext& context);
  void observe_family(const syntax::Expr& call, const FamilyTemplate& form) const;
  /// The numeric check of one family with these fixed values. Reports errors. `anew`: checks even if the
  /// cache has it.
  void check_family(const syntax::FamilyDecl& decl, const std::map<std::string, Value>& fixed,
                    base::Span used_at, bool anew = false);
  void check_families();
  /// The scope in which a family's body is evaluated. A family of the user sees the names of the file; a
  /// family of the library sees only those of the language.
  Scope& family_scope(const syntax::FamilyDecl& decl);
  bool is_standard(const syntax::FamilyDecl& decl) const { return decl.name.span.file == standard_file; }

  // ---- diagnostics
  /// Adds an error, with notes for the calls of nets that led to it. An error inside a net of the library is
  /// shown at the user's call of it, with a note for the place inside.
  template <class Message, class... Arguments>
  base::Diagnostic& error(Message message, base::Span at, const Arguments&... arguments) {
    return with_calls(report.add(message, at, arguments...));
  }
  base::Diagnostic& with_calls(base::Diagnostic& diagnostic);

  /// Adds a note that says where the value's shape comes from.
  void note_origin(base::Diagnostic& diagnostic, const Value& value) const;

  Evaluator& evaluator;
  Scope& top;
  Model& model;
  base::SourceSet& sources;
  base::Report& report;
  bool probing = false;  // a call whose nodes and parameters are removed again: it shares no parameters
  Build build;
  // The scopes, from inner to outer: the file's (top), the library's families, the functions of the language.
  // The body of a family has words of its own, too. A body in the library sees nothing of the file.
  Scope builtins, library, library_family_words, user_family_words;
  std::deque<Scope> kept_scopes;
  syntax::Tree families;  // stdlib/families.vae
  base::FileId standard_file;
  FamilyFrame* frame = nullptr;

  /// A recursion without end, or too long a loop, has been reported; nothing more is evaluated in this call.
  bool unwinding() const { return unwinding_; }

 private:
  struct OpenCall {
    std::string name;
    base::Span span;
  };
  Value evaluate_kind(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);
  bool is_of_the_model(const std::string& name, const Value& found) const;
  /// Whether a family's own extent (`K` in `category(K)`) has the name, not a value that is known outside.
  bool is_own_extent(const syntax::FamilyDecl& decl, const std::string& name);
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
  /// `p.z1(z0)`; none if the expression is not such a call.
  std::optional<Value> call_player(const syntax::Expr& expr, Scope& scope, const ParameterContext& context);

  std::vector<OpenCall> open_calls_;
  int64_t statements_ = 0;
  bool unwinding_ = false;  // a recursion without end has been reported
  std::map<std::string, int> own_layer_counts_;
  std::map<std::string, std::shared_ptr<const FamilyTemplate>> templates_;
  struct Use {
    const syntax::FamilyDecl* decl;
    std::map<std::string, Value> fixed;
    base::Span span;
  };
  std::map<std::string, Use> uses_;
};

/// As long as it lives, nodes are built into another graph, within the frame of another family.
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

/// Whether an element of the domain's tensor may be this number. For `category`, whether the number is a
/// class.
bool admits(const Domain& domain, double value);
std::optional<DomainKind> kind_of_domain(const std::string& name);
bool holds_number(const Value& value);
double number_in(const Value& value);
/// The place of an argument in a call, for errors about it.
base::Span place_of(const Value& value, base::Span otherwise);
/// "a tensor of shape [3]", "a scalar".
std::string tensor_of(const Shape& shape);
/// "an integer", "a tensor of shape [3]", "a net".
std::string describe(const Value& value, const Graph& graph);
/// A compile-time value as text. Equal values give equal texts.
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
