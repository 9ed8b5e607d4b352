// The syntax tree: what a .vae file says, before any name is looked up. syntax::parse makes it; semantics and
// lsp read it. Plain data; every node has its span.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/base/source.h"

namespace syntax {
using base::Span;

struct Name {
  std::string text;
  Span span;
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// `value` or `name = value` in a call; `name : value` in a map.
struct Argument {
  std::optional<Name> name;
  ExprPtr value;
  Span span;
};

/// One position between `[` and `]`: an index, or a slice `begin : end` (both parts are optional).
struct Subscript {
  ExprPtr begin;  // the index, if it is not a slice
  ExprPtr end;
  bool slice = false;
  Span span;
};

enum class ExprKind {
  integer,  // integer
  real,     // real
  boolean,  // boolean
  string,   // text: escapes resolved
  name,     // text
  list,     // operands
  tuple,    // operands: `(a, b)`, two or more
  map,      // arguments, all named: `{labelled: 10, unlabelled: 128}`
  call,     // operands[0] called with arguments
  index,    // operands[0] [subscripts]
  field,    // operands[0] . text      (the field's own span: text_span)
  unary,    // text is "-" or "not"; operands[0]
  binary,   // text is + - * / % ** @ < <= > >= == != and or; operands[0], operands[1]
};

struct Expr {
  ExprKind kind;
  Span span;
  int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::string text;
  Span text_span;  // the span of the operator or of the field's name
  std::vector<ExprPtr> operands;
  std::vector<Argument> arguments;
  std::vector<Subscript> subscripts;
};

/// A variable as a target or parent: `z` or `z[1]`.
struct Reference {
  Name name;
  ExprPtr index;  // may be null
  Span span;
};

/// `binary[28, 28]`, `category(10)`, `real`. Also a parameter's type in a family.
struct DomainExpr {
  Name name;
  std::vector<ExprPtr> arguments;  // for category(K) and simplex(K)
  std::vector<ExprPtr> shape;
  Span span;
};

struct NetDecl;
struct Statement;
using Block = std::vector<Statement>;

/// `let a = e`, `let (a, b) = e`, `a = e`, `(a, b) = e`. In a source `x = e` is a given value;
/// in a family `statistic = e` a property; in a learn block `steps = e` a key.
struct Assign {
  bool let = false;
  std::vector<Reference> targets;  // one, or all names of a tuple
  bool tuple = false;
  ExprPtr value;
};
struct Return {
  ExprPtr value;
};
struct For {
  Name variable;
  ExprPtr range;  // a list expression or range(a, b)
  Block body;
};
struct If {
  ExprPtr condition;
  Block then_body;
  Block else_body;  // `else if` is an else_body that contains one If
};
/// `target | parents ~ Family(arguments)`.
struct ConditionalDecl {
  Reference target;
  std::vector<Reference> parents;
  ExprPtr family;  // a call or a name
};
/// `complete { v ~ q; ... }` or `complete gibbs(sweeps = 10) { z ~ Bernoulli(0) }`.
struct Complete {
  ExprPtr gibbs;  // the call `gibbs(...)`, or null
  struct Item {
    Reference variable;
    ExprPtr sampler;  // a player's name or, under gibbs, a family with constant arguments
    Span span;
  };
  std::vector<Item> items;
};
/// `from prob : unit { logit = ... }` in a family.
struct From {
  struct Parameter {
    Name name;
    DomainExpr domain;
  };
  std::vector<Parameter> parameters;
  Block body;
};

struct Statement {
  Span span;
  std::variant<Assign, Return, For, If, ConditionalDecl, Complete, From, std::unique_ptr<NetDecl>> kind;
};

struct ImportDecl {
  bool path = false;  // import "file.vae", not import nets
  Name what;
};
struct ParamDecl {
  Name name;
  ExprPtr value;
};
struct LetDecl {
  Assign assign;
};
/// `publish (c, x)`.
struct PublishDecl {
  std::vector<Reference> variables;
};
struct VarDecl {
  struct Item {
    Name name;
    ExprPtr count;  // var z[3] : ... or null
  };
  std::vector<Item> items;
  DomainExpr domain;
};
struct FamilyDecl {
  struct Parameter {
    bool fixed = false;
    Name name;
    std::optional<DomainExpr> domain;  // optional for fixed parameters
    ExprPtr fallback;                  // default value, or null
    Span span;
  };
  Name name;
  std::vector<Parameter> parameters;
  Name variable;
  DomainExpr domain;
  Block body;
};
struct NetDecl {
  Name name;
  struct Parameter {
    Name name;
    ExprPtr fallback;
  };
  std::vector<Parameter> parameters;
  Block body;  // for `net f(x) = e`, a single Return
  Span span;
};
struct SourceDecl {
  Name name;
  ExprPtr weight;  // may be null
  Block body;
};
struct PlayerDecl {
  enum class Role { decoder, encoder, player } role;
  Name name;
  Block body;
};
struct LearnDecl {
  Name method;
  std::optional<Name> as;
  Block body;
};

struct Declaration {
  Span span;
  std::variant<ImportDecl, ParamDecl, LetDecl, VarDecl, PublishDecl, FamilyDecl, NetDecl, SourceDecl,
               PlayerDecl, LearnDecl>
      kind;
};

struct Tree {
  base::FileId file;
  std::vector<Declaration> declarations;
};

}  // namespace syntax
