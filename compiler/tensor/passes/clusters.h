// Which values of a program are computed together. An atom is a unit of work: a pointwise value, a draw, a
// reduction, a copy of a view, a piece of a concatenation, a library operation, or a gather. A cluster of
// atoms becomes one loop over one index space. Views (reshape, transpose, broadcast, slice) and constants are
// atoms only if they must lie in memory; otherwise their readers compute the index or the value themselves.
#pragma once
#include <optional>
#include <vector>

#include "compiler/tensor/passes/cluster_order.h"
#include "compiler/tensor/passes/index_space.h"
#include "compiler/tensor/program.h"

namespace tensor {

struct Atom {
  ValueId value;
  int piece = -1;     // for a concatenation: the number of the input
  int64_t begin = 0;  // and where this input begins along the axis
  bool loop = false;  // false: a library operation or a gather
};

/// What an atom reads: a value at an index. The value is not a view, or it is a view that lies in memory.
struct Operand {
  ValueId base;
  Index index;
};

class Clusters {
 public:
  /// `in_memory`: by value, whether a view or a constant needs a buffer.
  Clusters(const Program& program, std::vector<bool> in_memory);

  void join();

  const std::vector<Atom>& atoms() const { return atoms_; }
  /// The atoms of each cluster, in an order in which the clusters can run.
  std::vector<std::vector<int>> ordered() const;
  const std::vector<int>& atoms_of(ValueId value) const {
    return atoms_of_[static_cast<size_t>(value.index)];
  }
  bool is_view(ValueId value) const;
  /// The value that `value` is a view of, or `value` itself if it is not a view.
  ValueId base_of(ValueId value) const;

  /// The common index space of these atoms (ascending); none if there is none. It holds the index of each
  /// atom under the atom's number.
  std::optional<IndexSpace> common_space(const std::vector<int>& atoms) const;
  /// The operands that an atom reads, with their indices. None if a view on the way has no affine index.
  std::optional<std::vector<Operand>> operands(IndexSpace& space, int atom) const;
  /// A second place with the elements of `operand`: a transposed copy in memory. None if there is no such
  /// copy, or if reading it would split an axis.
  std::optional<Operand> stored_copy(const IndexSpace& space, const Operand& operand) const;
  std::optional<Operand> resolve(IndexSpace& space, ValueId value, Index index) const;
  /// The shape that an atom runs over.
  const Shape& run_shape(int atom) const;
  /// The values that an atom reads, including views.
  std::vector<ValueId> read_values(int atom) const;
  bool is_reduction(int atom) const;
  bool is_random(int atom) const;
  /// Is the atom a reshape that lies in memory? Its loop runs over its input, element by element.
  bool is_flat_copy(int atom) const;
  /// By axis of the space: whether the reduction drops it. Empty if an axis is both dropped and kept.
  std::vector<bool> dropped_axes(const IndexSpace& space, int atom) const;

 private:
  bool try_join(int a, int b);
  bool is_plain(int atom) const;
  bool have_common_space(int a, int b, const std::vector<int>& both) const;
  size_t accesses(const std::vector<int>& atoms) const;
  bool column_reduction(int atom) const;
  bool push_through(IndexSpace& space, int atom, ValueId known, int key) const;
  std::optional<Index> push_path(IndexSpace& space, std::vector<ValueId> path, ValueId from, ValueId known,
                                 const Index& index) const;

  const Program& program_;
  std::vector<bool> in_memory_;
  std::vector<Atom> atoms_;
  std::vector<std::vector<int>> atoms_of_;  // by value
  std::vector<bool> plain_;                 // by cluster: whether all of its atoms are plain
  ClusterOrder order_;
};

}  // namespace tensor
