// Which values of a program are computed together. An atom is what runs: a pointwise value, a draw, a
// reduction, a copy of a view, a piece of a concatenation, a library operation, a gather. Clusters of atoms
// become one loop over one index space. Views (reshape, transpose, broadcast, slice) and constants are no
// atoms unless they must lie in memory: those who read them index through them.
#pragma once
#include <optional>
#include <vector>

#include "compiler/tensor/passes/cluster_order.h"
#include "compiler/tensor/passes/index_space.h"
#include "compiler/tensor/program.h"

namespace tensor {

struct Atom {
  ValueId value;
  int piece = -1;     // of a concatenation: which input
  int64_t begin = 0;  // and where it begins along the axis
  bool loop = false;  // else a library operation or a gather
};

/// What an atom reads: a value that is no view (or is one that lies in memory), at an index.
struct Operand {
  ValueId base;
  Index index;
};

class Clusters {
 public:
  /// `in_memory`: values that need a buffer though they are views or constants.
  Clusters(const Program& program, std::vector<bool> in_memory);

  void join();

  const std::vector<Atom>& atoms() const { return atoms_; }
  /// Clusters with their atoms, in an order in which they can run.
  std::vector<std::vector<int>> ordered() const;
  const std::vector<int>& atoms_of(ValueId value) const {
    return atoms_of_[static_cast<size_t>(value.index)];
  }
  bool is_view(ValueId value) const;
  /// The value that `value` is a view of: itself if it is none.
  ValueId base_of(ValueId value) const;

  /// The index space of these atoms (ascending), holding each one's index under its number; none if they have
  /// no common one.
  std::optional<IndexSpace> common_space(const std::vector<int>& atoms) const;
  /// The operands that an atom reads, with their indices; none if a view between has no affine index.
  std::optional<std::vector<Operand>> operands(IndexSpace& space, int atom) const;
  /// Where the elements of `operand` also lie: a copy of a transposition that is in memory. None if an axis
  /// would have to be split for it.
  std::optional<Operand> stored_copy(const IndexSpace& space, const Operand& operand) const;
  std::optional<Operand> resolve(IndexSpace& space, ValueId value, Index index) const;
  /// The shape that an atom runs over.
  const Shape& run_shape(int atom) const;
  /// The values that an atom reads, views and all.
  std::vector<ValueId> read_values(int atom) const;
  bool is_reduction(int atom) const;
  bool is_random(int atom) const;
  /// A reshape that lies in memory: it runs over its input, element by element.
  bool is_flat_copy(int atom) const;
  /// Axes of the space that a reduction drops.
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
  std::vector<bool> plain_;                 // by cluster: all of its atoms are
  ClusterOrder order_;
};

}  // namespace tensor
