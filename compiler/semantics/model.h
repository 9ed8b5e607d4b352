// The typed model: the meaning of a .vae file, before a game is derived from it. Made by semantics::analyse.
// Everything is resolved, in the order of declaration, and printable (--emit=model).
#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "compiler/semantics/graph/graph.h"
#include "compiler/semantics/missing_values.h"
#include "runtime/schema/description.h"
#include "runtime/schema/optimizer_words.h"

namespace semantics {

enum class DomainKind { binary, category, count, real, positive, unit, angle, simplex };
const char* name_of(DomainKind kind);
struct Domain;
/// `category(3)`, `category("north", "south")`.
std::string text_of(const Domain& domain);

struct Domain {
  DomainKind kind = DomainKind::real;
  int64_t classes = 0;             // K of category(K) and simplex(K)
  std::vector<std::string> words;  // the words of category("north", "south"), in this order
  bool operator==(const Domain&) const = default;
};

struct Variable {
  std::string name;  // `z[1]` for an element of an array
  Domain domain;
  Shape shape;  // as declared
  base::Span span;
  /// The shape as a tensor in expressions. For category(K) and simplex(K), the class axis comes first.
  Shape tensor_shape() const;
};

/// How a parameter starts. uniform: in [-scale, scale]; normal: N(0, scale^2); orthogonal: with gain `scale`.
using schema::Initial;

struct Parameter {
  std::string name;  // player.target.layer.weight, as in a checkpoint
  Shape shape;       // PyTorch's layout
  PlayerId owner;
  Initial initial;
  base::Span span;
};

struct FamilyTemplate;

/// `target | parents ~ Family(arguments)`, or a source's `target ~ Family(constants)` without parents and
/// player.
/// log_density: one number per row; depends on the variable nodes of target and parents.
/// sample: has the target's tensor shape; depends on the parents' nodes and on random draws.
/// mean: E target, or none if the family does not give it.
/// initial: a draw from the family with its defaults (the start of a chain); depends on no variable.
struct Conditional {
  VariableId target;
  std::vector<VariableId> parents;  // in the listed order
  PlayerId player;                  // index -1 for a source
  std::string family;
  /// The family's declaration, from which other properties are derived (divergence.h).
  std::shared_ptr<const FamilyTemplate> form;
  /// The family's arguments, fitted to [declared shape, variable's shape].
  std::vector<NodeId> arguments;
  NodeId log_density, sample, mean, initial;
  std::vector<ParameterId> parameters;  // parameters of its owner on which log_density depends
  base::Span span;                      // the whole conditional
  base::Span target_span;
  /// The values are discrete, or the sample is not differentiable by the arguments.
  bool discrete = false;
};

using schema::Role;
struct Player {
  std::string name;
  Role role;
  std::vector<ConditionalId> conditionals;
  std::vector<ParameterId> parameters;
  base::Span span;
};

/// A data column that the executable reads. Its values are checked when the data are opened.
struct Column {
  /// What its values must be: those of the variable's domain, the probabilities of bits, or any reals, if
  /// noise and further operations make the variable's values from them.
  enum class Values { own, probabilities, reals };

  schema::DataExpression expression;
  VariableId variable;
  base::Span span;
  Values values = Values::own;
  std::string noiseless_source = {};  // as in schema::DataColumn
};

/// One line of a source. For data: `value` (with the variable's tensor shape), computed from column leaves
/// and noise. For a family: `drawn`, an index into Model::conditionals, without parents.
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
  bool gibbs = false;  // the file asks for `complete gibbs(...)`
  int sweeps = 10;
  std::vector<ConditionalId> gibbs_starts;  // its initial draws
  base::Span span;
};

/// `publish (c, x)`: the variables whose rows other programs may read. These rows are drawn from the players
/// alone.
struct Publication {
  std::vector<VariableId> variables;  // in the listed order
  base::Span span;
};

struct Learn {
  std::string method;  // symmetric, elbo, iwae, rws, libi, supervised
  std::string name;    // the method's name, or the name after `as`
  int64_t steps = 0;
  std::map<std::string, int64_t> batch;                 // for every source that it learns from
  std::map<std::string, OptimizerSettings> optimizers;  // for every player
  schema::RateSchedule schedule;
  double clip = 0;  // 0: no clipping
  uint64_t seed = 0;
  std::string order = "alternating";  // or simultaneous
  std::string precision = "fp32";
  std::vector<SourceId> sources;  // without those of weight 0
  std::string start;
  std::map<std::string, int64_t> every = {
      {"log", 100}, {"sample", 1000}, {"checkpoint", 1000}, {"evaluate", 5000}};
  nlohmann::json own = nlohmann::json::object();  // the method's own keys, checked
  base::Span span;
  std::map<std::string, base::Span> values;  // where the value of each key is that is given
};

struct Model {
  std::string name;  // of the file, without folder and extension
  Graph graph;
  std::vector<Variable> variables;
  std::vector<Parameter> parameters;
  /// Those of players in the order of declaration, then those of sources.
  std::vector<Conditional> conditionals;
  std::vector<Player> players;
  std::vector<Column> columns;
  std::vector<Source> sources;
  std::optional<Publication> publication;
  std::vector<Learn> learns;
  std::map<std::string, std::string> params;  // top-level params and their values, as text
  size_t splits = 0;                          // how many splits (game::MissingGame) follow the sources

  /// Programs have a coefficient for each source and split. After these come others: for tags and for keys.
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

/// Whether the learn block keeps the player as it is (`optimizer = {p: none}`).
bool is_frozen(const Learn& learn, const Player& player);

/// Whether variables may be missing in rows of these sources. Only the run then knows who completes these
/// rows and which terms they have.
bool rows_may_miss(const Model& model, const std::vector<SourceId>& sources,
                   MissingValues least = MissingValues::unusual);

/// The model as text, for --emit=model and golden tests.
std::string print(const Model& model);

}  // namespace semantics
