// An index space, and how values are indexed in it: the index along each axis of a value is an affine form of
// the axes of the space. A reshape may split an axis of the space; all held indices are then adapted.
#pragma once
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "compiler/tensor/program.h"

namespace tensor {

struct Form {
  int64_t offset = 0;
  std::vector<int64_t> coefficients;  // one for each axis of the space
  bool operator==(const Form&) const = default;
};
using Index = std::vector<Form>;  // one form for each axis of a value

class IndexSpace {
 public:
  explicit IndexSpace(const Shape& shape);
  const std::vector<Extent>& axes() const { return axes_; }
  /// Indices under keys that the caller chooses. They stay right when axes split.
  std::map<int, Index>& held() { return held_; }
  const std::map<int, Index>& held() const { return held_; }
  /// The index of a value whose shape is the one that the space was made from.
  Index identity() const;

  /// From the index of a view to the index of its input; none if that is not affine.
  std::optional<Index> pull(const Program& program, const Value& view, const Index& index);
  /// From the index of the input to the index of the view, for views that lose nothing (reshape, transpose);
  /// none for others.
  std::optional<Index> push(const Program& program, const Value& view, const Index& index);
  /// Does the index reach every element of `shape` exactly once?
  bool covers(const Shape& shape, const Index& index) const;

  /// The offset and strides of `index` in a dense array of `shape`.
  Access access(int buffer, const Shape& shape, const Index& index) const;

 private:
  std::optional<Index> reshape(Index index, const Shape& from, const Shape& to);
  void split(size_t axis, int64_t inner, Form& current);
  /// Checks that no axis was split since `index` was made: outside `held` an index is not adapted. A failure
  /// is an error of the caller.
  void expect_current(const Index& index) const;

  Shape made_from_;
  std::vector<Extent> axes_;
  std::map<int, Index> held_;
  Index made_index_;
  std::list<Index> moving_;  // indices that are being computed while axes may split
};

}  // namespace tensor
