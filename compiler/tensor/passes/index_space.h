// An index space and how values are indexed in it: each axis of a value is an affine form of the axes of the
// space. A reshape may split an axis of the space; every index that is held then follows.
#pragma once
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "compiler/tensor/program.h"

namespace tensor {

struct Form {
  int64_t offset = 0;
  std::vector<int64_t> coefficients;  // of the space's axes
  bool operator==(const Form&) const = default;
};
using Index = std::vector<Form>;  // of a value's axes

class IndexSpace {
 public:
  explicit IndexSpace(const Shape& shape);
  const std::vector<Extent>& axes() const { return axes_; }
  /// Held indices, by the caller's keys: they stay right when axes split.
  std::map<int, Index>& held() { return held_; }
  const std::map<int, Index>& held() const { return held_; }
  /// Of a value that has the shape the space was made from.
  Index identity() const;

  /// The index of a view's input, given the view's; none if that is no affine form.
  std::optional<Index> pull(const Program& program, const Value& view, const Index& index);
  /// The other way, for views that lose nothing (reshape, transpose); none for others.
  std::optional<Index> push(const Program& program, const Value& view, const Index& index);
  /// Is every element of `shape` reached, once?
  bool covers(const Shape& shape, const Index& index) const;

  /// Where `index` lies in a dense array of `shape`.
  Access access(int buffer, const Shape& shape, const Index& index) const;

 private:
  std::optional<Index> reshape(Index index, const Shape& from, const Shape& to);
  void split(size_t axis, int64_t inner, Form& current);
  /// An index that was kept outside `held` while an axis split is an error of the caller.
  void expect_current(const Index& index) const;

  Shape made_from_;
  std::vector<Extent> axes_;
  std::map<int, Index> held_;
  Index made_index_;
  std::list<Index> moving_;  // being computed while axes may split
};

}  // namespace tensor
