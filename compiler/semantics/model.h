// The typed model: what a .vae file means before any game is derived from it. Made by semantics::analyse;
// everything is resolved, in declaration order, and printable (--emit=model).
#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/semantics/graph.h"
#include "compiler/semantics/missing_values.h"

namespace semantics {

enum class DomainKind { binary, category, count, real, positive, unit, angle, simplex };
const char* name_of(DomainKind kind);
struct Domain;
/// `category(3)`, `category("north", "south")`.
std::string text_of(const Domain& domain);

struct Domain {
  DomainKind kind = DomainKind::real;
  int64_t classes = 0;             // K of category(K) and simplex(K)
  std::vector<std::string> words;  // of category("north", "south"), in this order
  bool operator==(const Domain&) const = default;
};

struct Variable {
  std::string name;  // `z[1]` for an element of an array
  Domain domain;
  Shape shape;  // as declared
  base::Span span;
  /// As a tensor in expressions: the class axis first for category(K) and simplex(K).
  Shape tensor_shape() const;
};

/// How a parameter starts. uniform: in [-scale, scale]; normal: N(0, scale^2); orthogonal: gain scale.
struct Initial {
  enum class Kind { constant, uniform, normal, orthogonal } kind = Kind::constant;
  double value = 0;
  double scale = 0;
};

struct Parameter {
  std::string name;  // player.target.layer.weight, as in a checkpoint
  Shape shape;       // PyTorch's layout
  PlayerId owner;
  Initial initial;
  base::Span span;
};

struct FamilyTemplate;

/// `target | parents ~ Family(arguments)`, or a source's `target ~ Family(constants)` (no parents, no
/// player). log_density: scalar per row, of the target's and parents' variable nodes. sample: the target's
/// tensor shape, of the parents' nodes and random draws. mean: E target, or none where the family does not
/// give it. initial: a draw with the family at its defaults (a chain's start), of no variables.
struct Conditional {
  VariableId target;
  std::vector<VariableId> parents;  // as listed
  PlayerId player;                  // index -1 in a source
  std::string family;
  std::shared_ptr<const FamilyTemplate> form;  // its declaration, for what else is derived (divergence.h)
  std::vector<NodeId> arguments;               // of the family, fitted to [declared shape, variable's shape]
  NodeId log_density, sample, mean, initial;
  std::vector<ParameterId> parameters;  // its owner's parameters that log_density depends on
  base::Span span;                      // of the whole conditional
  base::Span target_span;
  /// Discrete values, or a sample that is not differentiable in the arguments.
  bool discrete = false;
};

enum class Role { decoder, encoder, player };
struct Player {
  std::string name;
  Role role;
  std::vector<ConditionalId> conditionals;
  std::vector<ParameterId> parameters;
  base::Span span;
};

/// A data column that the executable reads: `expression` as runtime/image.md says, checked against `variable`
/// when the data are opened; where noise and more is put on it, only as reals of the variable's shape.
struct Column {
  nlohmann::json expression;
  VariableId variable;
  base::Span span;
  bool whole = true;  // the variable's own values
};

/// One line of a source. Observed: `value` (the variable's tensor shape) over column leaves, and noise.
/// Drawn: an index into Model::conditionals, without parents.
struct Given {
  VariableId variable;
  NodeId value;
  std::optional<ConditionalId> drawn;
  base::Span span;
  MissingValues missing = MissingValues::never;
};

struct Source {
  std::string name;
  double weight = 1;
  std::vector<Given> givens;
  struct Word {  // complete { v ~ q }
    VariableId variable;
    PlayerId player;
    base::Span span;
  };
  std::vector<Word> words;
  bool gibbs = false;  // complete gibbs(...) was asked for
  int sweeps = 10;
  std::vector<ConditionalId> gibbs_starts;  // its initial draws
  base::Span span;
};

/// `publish (c, x)`: the variables whose rows, drawn from the players alone, other programs may read.
struct Publication {
  std::vector<VariableId> variables;  // as listed
  base::Span span;
};

struct Optimizer {
  std::string kind = "adam";  // adam, adamw, sgd, none
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0, momentum = 0;
};

struct Learn {
  std::string method;  // symmetric, elbo, iwae, rws, libi, supervised
  std::string name;    // the method's, or what `as` says
  int64_t steps = 0;
  std::map<std::string, int64_t> batch;         // of every source that it learns from
  std::map<std::string, Optimizer> optimizers;  // of every player
  std::string schedule = "constant";            // constant, cosine, step
  double schedule_warmup = 0, schedule_every = 0, schedule_factor = 1;
  double clip = 0;  // 0: none
  uint64_t seed = 0;
  std::string order = "alternating";  // or simultaneous
  std::string precision = "fp32";
  std::vector<SourceId> sources;  // weight 0 left out
  std::string start;
  std::map<std::string, int64_t> every = {
      {"log", 100}, {"sample", 1000}, {"checkpoint", 1000}, {"evaluate", 5000}};
  nlohmann::json own = nlohmann::json::object();  // the method's own keys, checked
  base::Span span;
};

struct Model {
  std::string name;  // of the file, without folder and ending
  Graph graph;
  std::vector<Variable> variables;
  std::vector<Parameter> parameters;
  std::vector<Conditional> conditionals;  // players' in declaration order, then sources'
  std::vector<Player> players;
  std::vector<Column> columns;
  std::vector<Source> sources;
  std::optional<Publication> publication;
  std::vector<Learn> learns;
  std::map<std::string, std::string> params;  // top-level params and their values, as text
  size_t splits = 0;  // sources that stand behind these in the model of rows with missing values

  /// Programs have a coefficient for each source and split, then others: of tags, of keys.
  int first_free_coefficient() const { return static_cast<int>(sources.size() + splits); }

  const Variable& operator[](VariableId id) const { return variables[static_cast<size_t>(id.index)]; }
  const Parameter& operator[](ParameterId id) const { return parameters[static_cast<size_t>(id.index)]; }
  const Conditional& operator[](ConditionalId id) const {
    return conditionals[static_cast<size_t>(id.index)];
  }
  const Player& operator[](PlayerId id) const { return players[static_cast<size_t>(id.index)]; }
  const Column& operator[](ColumnId id) const { return columns[static_cast<size_t>(id.index)]; }
  const Source& operator[](SourceId id) const { return sources[static_cast<size_t>(id.index)]; }
};

/// Whether some rows that `learn` draws may miss variables: then what completes them, and their terms, are
/// known only when it runs.
bool rows_may_miss(const Model& model, const Learn& learn, MissingValues least = MissingValues::unusual);

/// As text, for --emit=model and golden tests.
std::string print(const Model& model);

}  // namespace semantics
