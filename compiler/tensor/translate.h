// Expressions of the model's graph to values of a program, for the rows of one source (or of the caller).
// Variables are bound to values; binding one anew forgets what was computed from it, so a `let` is evaluated
// anew, while everything else (a shared trunk) is computed once.
#pragma once
#include <map>
#include <set>

#include "compiler/tensor/emit.h"

namespace tensor {

/// What each node of a graph depends on.
struct Dependencies {
  explicit Dependencies(const semantics::Graph& graph);
  std::vector<std::vector<semantics::VariableId>> variables;  // ascending
  std::vector<bool> random;
};

class Translator {
 public:
  /// `source`: whose columns these are (-1: the caller's rows). `next_site` numbers the random draws.
  Translator(const semantics::Model& model, const Dependencies& dependencies, Program& program, int batch,
             int source, uint32_t& next_site);

  void bind(semantics::VariableId variable, ValueId value);
  ValueId bound(semantics::VariableId variable) const { return variables_.at(variable); }
  /// The value of `node`; draws in it are fresh for this call.
  ValueId evaluate(semantics::NodeId node);
  /// As evaluate, but one value a row even where it depends on no row.
  ValueId evaluate_rows(semantics::NodeId node);
  Extent rows() const { return {1, batch_}; }

 private:
  ValueId translate(semantics::NodeId node);
  ValueId compute(const semantics::Node& node);
  ValueId moved(const semantics::Node& node, ValueId input);
  ValueId dense(ValueId x, ValueId weights, const semantics::Shape& shape);
  ValueId matmul(ValueId a, ValueId b);
  ValueId conv(const semantics::Node& node, ValueId x, ValueId weights);
  ValueId deconv(const semantics::Node& node, ValueId x, ValueId weights);
  Shape with_rows(const semantics::Shape& shape) const;
  Shape shaped_as(const semantics::Shape& shape, bool rows) const;

  const semantics::Model& model_;
  const Dependencies& dependencies_;
  Program& program_;
  Emit emit_;
  int batch_, source_;
  uint32_t& next_site_;
  std::map<semantics::VariableId, ValueId> variables_;
  std::map<int32_t, ValueId> known_;
};

}  // namespace tensor
