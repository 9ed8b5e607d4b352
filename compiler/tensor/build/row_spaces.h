// The rows of one source and the axes beside them: samples of each row, and the values of enumerated
// variables. In: which axes each variable has. Out: values with these axes in front, joined into one extent.
// A node is computed once, with only the axes that it depends on, and stretched where more axes are needed.
#pragma once
#include <memory>

#include "compiler/tensor/build/translate.h"

namespace tensor {

class RowSpaces {
 public:
  static constexpr Axes rows_axis = 1;

  /// `rows` translates what the source gives. It must outlive this object.
  RowSpaces(const ModelBasis& basis, Program& program, Translator& rows);

  /// Adds an axis of this length, inside the axes before.
  Axes add_axis(int64_t length);
  /// The axes that every random draw has from now on. At first these are the rows alone.
  void set_drawn(Axes axes) { drawn_ = axes; }
  Axes drawn() const { return drawn_; }

  /// All values of a variable that has finitely many: one axis of values, no rows.
  ValueId table(semantics::VariableId variable, int64_t values);
  void bind(semantics::VariableId variable, ValueId value, Axes axes);

  /// The axes that the node depends on; 0 if it depends on parameters only.
  Axes axes_of(semantics::NodeId node) const;
  Translator& at(Axes axes);
  /// The node's value, computed with its own axes and stretched to `axes`.
  ValueId translate(semantics::NodeId node, Axes axes);
  void forget_draws();

  /// From [lead of `from`, ...] to [lead of `to`, ...]. Each element is repeated along the new axes.
  ValueId stretch(ValueId value, Axes from, Axes to);
  /// The rows (if they are among `axes`), then each other axis as an extent of its own.
  Shape extents(Axes axes) const;
  Shape extents_of_drawn(Axes enumerated);

 private:
  Extent lead(Axes axes);
  int64_t length(Axes axes) const;

  const ModelBasis& basis_;
  Program& program_;
  Emit e_;
  Axes drawn_ = rows_axis;
  std::vector<int64_t> lengths_ = {1};  // by bit: the length of its axis; the number of rows is not known
                                        // here
  std::map<semantics::VariableId, Axes> bound_;
  Translator& rows_;
  std::map<Axes, std::unique_ptr<Translator>> others_;
};

}  // namespace tensor
