// The rows of one source, and what is computed beside them: samples of each row, and the values of enumerated
// variables. In: which axes each variable has. Out: values with their axes in front, as one extent; a node is
// computed with the axes of what it depends on and no others, once, and stretched where more are needed.
#pragma once
#include <memory>

#include "compiler/tensor/translate.h"

namespace tensor {

class RowSpaces {
 public:
  static constexpr Axes rows_axis = 1;

  /// `rows` translates what a source gives; it must outlive this.
  RowSpaces(const semantics::Model& model, const Dependencies& dependencies, Program& program,
            Translator& rows);

  /// A further axis of this length, inside those before.
  Axes add_axis(int64_t length);
  /// What every random draw has from now on; first the rows alone.
  void set_drawn(Axes axes) { drawn_ = axes; }
  Axes drawn() const { return drawn_; }

  /// Each value of a variable with finitely many values: one axis, no rows.
  ValueId table(semantics::VariableId variable, int64_t values);
  void bind(semantics::VariableId variable, ValueId value, Axes axes);

  /// Of what the node depends on; 0 for what only parameters decide.
  Axes axes_of(semantics::NodeId node) const;
  Translator& at(Axes axes);
  /// The node's value where it has its own axes, stretched to `axes`.
  ValueId translate(semantics::NodeId node, Axes axes);
  void forget_draws();

  /// From [lead of `from`, ...] to [lead of `to`, ...], each element repeated along the axes that are new.
  ValueId stretch(ValueId value, Axes from, Axes to);
  /// The axes one by one; rows (with the samples, where `drawn` has them) stay together.
  Shape extents(Axes axes) const;
  Shape extents_of_drawn(Axes enumerated);

 private:
  Extent lead(Axes axes);
  int64_t length(Axes axes) const;

  const semantics::Model& model_;
  const Dependencies& dependencies_;
  Program& program_;
  Emit e_;
  Axes drawn_ = rows_axis;
  std::vector<int64_t> lengths_ = {1};  // of the axis of each bit; the rows' own is not known here
  std::map<semantics::VariableId, Axes> bound_;
  Translator& rows_;
  std::map<Axes, std::unique_ptr<Translator>> others_;
};

}  // namespace tensor
