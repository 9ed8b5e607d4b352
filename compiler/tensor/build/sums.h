// Sums over the values of enumerated variables instead of draws. In: the conditionals that would draw the
// variables, in that order. Out: log-densities as tables over the rows and the values that they depend on.
// Also the means of tables under the conditionals' probabilities, summed one variable at a time
// (game/elimination.h).
#pragma once
#include "compiler/tensor/build/row_spaces.h"

namespace tensor {

/// One number for each row (or sample) and for each value of the enumerated variables `axes`: [rows, values,
/// ...].
struct Table {
  ValueId value;
  Axes axes = 0;  // enumerated variables only
};

class Sums {
 public:
  Sums(const semantics::Model& model, Program& program, RowSpaces& spaces)
      : model_(model), spaces_(spaces), e_(program) {}

  /// Binds the conditional's target to all its values. If `constant`, no gradient flows through their
  /// probabilities. Returns log q as a table.
  Table add(const semantics::Conditional& conditional, bool constant);
  bool empty() const { return summed_.empty(); }

  /// A node with one number for each row, as a table.
  Table table(semantics::NodeId number);
  /// The sum over all values, weighted with their probabilities: [rows].
  ValueId mean(const Table& table);
  /// log sum exp over all values, each counted once: [rows].
  ValueId log_sum_exp(const Table& table);

  Table combine(Op op, const Table& a, const Table& b);
  Table apply(Op op, const Table& a, double b);
  /// Stretches the table over all enumerated variables.
  ValueId whole(const Table& table) { return stretch(table, all()); }
  Shape whole_shape() { return spaces_.extents_of_drawn(all()); }

 private:
  struct Summed {
    Axes axis;
    int64_t values;
    Table probability;
  };
  Axes all() const;
  ValueId stretch(const Table& table, Axes axes);
  Table sum_out(const Table& table, Axes axes);
  Table marginal(Axes kept);

  const semantics::Model& model_;
  RowSpaces& spaces_;
  Emit e_;
  std::vector<Summed> summed_;
  std::map<Axes, Table> marginals_;
};

}  // namespace tensor
