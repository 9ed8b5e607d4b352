// Expressions of the model's graph to values of a program, for the rows of one source (or of the caller), or
// for the values of enumerated variables (row_spaces.h). Variables are bound to values; binding one anew
// forgets what was computed from it, so a `let` is evaluated anew, while everything else (a shared trunk) is
// computed once.
#pragma once
#include <map>
#include <set>
#include <unordered_map>

#include "compiler/tensor/emit.h"

namespace tensor {

/// What each node of a graph depends on.
struct Dependencies {
  explicit Dependencies(const semantics::Graph& graph);
  std::vector<std::vector<semantics::VariableId>> variables;  // ascending
  std::vector<bool> random;
};

/// What all programs of one model share, made once. The model outlives it.
struct ModelBasis {
  // Implicit: where one program is built, the model alone will do.
  ModelBasis(const semantics::Model& in_model)
      : model(in_model), dependencies(in_model.graph), parameters(parameter_places(in_model)) {}
  const semantics::Model& model;
  Dependencies dependencies;
  ParameterPlaces parameters;
};

class RowSpaces;
/// Which axes a value has in front of its node's own: bits, see row_spaces.h.
using Axes = uint64_t;

class Translator {
 public:
  /// `source`: whose columns these are (-1: the caller's rows). `next_site` numbers the random draws.
  Translator(const ModelBasis& basis, Program& program, int batch, int source, uint32_t& next_site);

  /// Takes each row of `outer` `times` over, in a batch class of its own: what depends only on what is bound
  /// in `outer` is computed there, once, and repeated.
  Translator(Translator& outer, int64_t times);

  /// Of `spaces`, for what has just these axes: `lead` is the extent of all of them. Every other node is
  /// computed where its own axes say, and stretched.
  Translator(const Translator& like, RowSpaces& spaces, Axes axes, Extent lead);
  void belong_to(RowSpaces& spaces, Axes axes);

  void bind(semantics::VariableId variable, ValueId value);
  /// Forgets what was computed from the variable, or with random draws.
  void forget(semantics::VariableId variable);
  void forget_draws();
  ValueId bound(semantics::VariableId variable) const { return variables_.at(variable); }
  int64_t times() const { return times_; }
  /// The value of `node`; draws in it are fresh for this call.
  ValueId evaluate(semantics::NodeId node);
  /// As evaluate, but one value a row even where it depends on no row.
  ValueId evaluate_rows(semantics::NodeId node);
  /// A fresh random draw.
  ValueId draw(Op op, Shape shape);
  Extent rows() const { return lead_; }
  /// As evaluate, but draws in the node stay known until forget_draws.
  ValueId translate(semantics::NodeId node);
  /// Has the value this translator's axes in front?
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
  std::set<ValueId> led_;  // where the axes in front are no batch class: the values that have them
  uint32_t& next_site_;
  std::map<semantics::VariableId, ValueId> variables_;
  std::unordered_map<int32_t, ValueId> known_;
  std::vector<int32_t> known_draws_;                                // of those, what depends on draws
  std::map<semantics::VariableId, std::vector<int32_t>> known_by_;  // and on each variable
};

}  // namespace tensor
