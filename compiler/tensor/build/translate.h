// Translates expressions of the model's graph to values of a program: for the rows of one source (or of the
// caller), or for the values of enumerated variables (row_spaces.h). Variables are bound to values. When a
// variable is bound again, the values computed from it are forgotten: a `let` is then evaluated again, while
// everything else (such as a shared trunk) is computed once.
#pragma once
#include <map>
#include <set>
#include <unordered_map>

#include "compiler/tensor/emit.h"

namespace tensor {

/// The variables that each node of a graph depends on, and whether it depends on random draws.
struct Dependencies {
  explicit Dependencies(const semantics::Graph& graph);
  std::vector<std::vector<semantics::VariableId>> variables;  // ascending
  std::vector<bool> random;
};

/// What all programs of one model share, computed once. Model and graph must outlive it.
struct ModelBasis {
  // Not explicit: code that builds a single program may pass the model alone.
  ModelBasis(const semantics::Model& in_model) : ModelBasis(in_model, in_model.graph) {}
  /// `in_graph`: the nodes of the model, and more that programs compute, as in game::Game.
  ModelBasis(const semantics::Model& in_model, const semantics::Graph& in_graph)
      : model(in_model), graph(in_graph), dependencies(in_graph), parameters(parameter_places(in_model)) {}
  const semantics::Model& model;
  const semantics::Graph& graph;
  Dependencies dependencies;
  ParameterPlaces parameters;
};

class RowSpaces;
/// The set of axes that a value has in front of its node's own axes, as bits (row_spaces.h).
using Axes = uint64_t;

class Translator {
 public:
  /// `source`: the source that columns belong to (-1: the caller's rows). `next_site` numbers the random
  /// draws.
  Translator(const ModelBasis& basis, Program& program, int batch, int source, uint32_t& next_site);

  /// Repeats each row of `outer` `times` times, in a new batch class. A value that depends only on variables
  /// bound in `outer` is computed there once, and repeated.
  Translator(Translator& outer, int64_t times);

  /// A translator of `spaces` for values with exactly these axes; `lead` is the extent of all of them. Every
  /// other node is computed by the translator of its own axes, and stretched.
  Translator(const Translator& like, RowSpaces& spaces, Axes axes, Extent lead);
  void belong_to(RowSpaces& spaces, Axes axes);

  void bind(semantics::VariableId variable, ValueId value);
  /// Forgets the values computed from the variable, or those computed from random draws.
  void forget(semantics::VariableId variable);
  void forget_draws();
  ValueId bound(semantics::VariableId variable) const { return variables_.at(variable); }
  int64_t times() const { return times_; }
  /// The value of `node`; draws in it are fresh for this call.
  ValueId evaluate(semantics::NodeId node);
  /// As `evaluate`, but with one value for each row even if the node depends on no row.
  ValueId evaluate_rows(semantics::NodeId node);
  /// A fresh random draw.
  ValueId draw(Op op, Shape shape);
  Extent rows() const { return lead_; }
  /// As `evaluate`, but draws in the node stay the same until forget_draws.
  ValueId translate(semantics::NodeId node);
  /// Does the value have this translator's axes in front?
  bool leads(ValueId value) const;

 private:
  std::optional<ValueId> translated_elsewhere(semantics::NodeId node);
  bool leads_on(const semantics::Node& node);
  bool belongs_outside(semantics::NodeId node) const;
  ValueId repeat(ValueId value);
  ValueId compute(const semantics::Node& node);
  ValueId pointwise(const semantics::Node& node, std::vector<ValueId> inputs);
  std::vector<semantics::NodeId> parts_of_vector(semantics::NodeId node) const;
  std::optional<ValueId> dense_of_parts(const semantics::Node& node);
  ValueId moved(const semantics::Node& node, ValueId input);
  ValueId dense(ValueId x, ValueId weights, const semantics::Shape& shape);
  ValueId matmul(ValueId a, ValueId b);
  ValueId conv(const semantics::Node& node, ValueId x, ValueId weights);
  ValueId deconv(const semantics::Node& node, ValueId x, ValueId weights);
  Shape with_rows(const semantics::Shape& shape) const;
  Shape shaped_as(const semantics::Shape& shape, bool rows) const;

  void know(semantics::NodeId node, ValueId value);

  const ModelBasis& basis_;
  Program& program_;
  Emit emit_;
  Extent lead_;
  int source_;
  Translator* outer_ = nullptr;
  int64_t times_ = 1;
  RowSpaces* spaces_ = nullptr;
  Axes axes_ = 0;
  std::set<ValueId> led_;  // if the axes in front are not a batch class: the values that have them
  uint32_t& next_site_;
  std::map<semantics::VariableId, ValueId> variables_;
  std::unordered_map<int32_t, ValueId> known_;
  std::vector<int32_t> known_draws_;                                // the known nodes that depend on draws
  std::map<semantics::VariableId, std::vector<int32_t>> known_by_;  // the known nodes that depend on each
                                                                    // variable
};

}  // namespace tensor
