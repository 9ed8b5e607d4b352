// The inside of a kernel: its vae_loop read into values, the element-wise body, and walks over rows and
// vectors. In: an arrangement. emit_loop.cpp makes the three forms of kernels from these parts.
#pragma once
#include <llvm/IR/Module.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compiler/lower/arrange.h"
#include "compiler/lower/pointwise.h"
#include "compiler/lower/vectors.h"

namespace lower {

class LoopBody {
 protected:
  /// Where a walk along the vector axis starts: a pointer per access, and the index in each other group.
  struct Place {
    std::vector<Value*> bases;
    std::map<int, Value*> index;  // by the group's first axis
    Value* element = nullptr;     // the linear number of the first element
  };
  using Body = std::function<Carried(Value* j, Value* mask, const Carried& carried)>;

  /// Begins the empty function, in vectors of `lanes`. Who derives from this reads the loop next.
  LoopBody(llvm::Function* function, const Arrangement& arrangement, unsigned lanes, bool for_ptx = false);
  virtual ~LoopBody() = default;

  /// The draw of scalar `i`, which has no parameters, at this element (and the lanes after it).
  virtual Value* draw(size_t i, Value* element) = 0;
  /// number = quotient * by + remainder, of an index.
  struct Quotient {
    Value *quotient, *remainder;
  };
  virtual Quotient divide(Value* number, Value* by) {
    return {ir_.CreateUDiv(number, by), ir_.CreateURem(number, by)};
  }

  Value* i64(int64_t number) { return ir_.getInt64(static_cast<uint64_t>(number)); }
  Value* smaller(Value* a, Value* b) { return ir_.CreateSelect(ir_.CreateICmpSLT(a, b), a, b); }
  Value* at(Value* pointer, Value* index) { return ir_.CreateGEP(ir_.getFloatTy(), pointer, index); }
  const AxisGroup& vector_group() const {
    return arranged_.form == Form::row_reduction ? arranged_.reduced.back() : arranged_.kept.back();
  }
  void emit_store(size_t store, Value* value, const Place& place, Value* j, Value* mask);
  size_t random_number(size_t scalar) const;
  /// What does not change along the vector axis, computed before it is walked.
  void emit_invariants(const Place& place);
  std::vector<Value*> emit_body(const Place& place, Value* j, Value* mask);
  /// Which of the lanes from `j` on lie before `to`.
  Value* lanes_before(Value* j, Value* to);
  /// Whole vectors over [from, to), then the rest under a mask.
  Carried walk(Value* from, Value* to, const Carried& initial, const Body& body);
  /// `from` moved by `index` along one group.
  Place moved_along(const Place& from, const AxisGroup& group, Value* index);
  /// `from` moved to index `number` of the groups, counted as one row-major number.
  Place moved(const Place& from, const std::vector<AxisGroup>& groups, size_t group_count, Value* number);
  Value* extent_of(const std::vector<AxisGroup>& groups, size_t group_count);

  std::vector<size_t> combining_stores() const;
  /// What a combination begins with, and what it makes of two values.
  Value* neutral(tensor::Combine combine);
  Carried neutrals(const std::vector<size_t>& stores);
  Value* combined(tensor::Combine combine, Value* a, Value* b);

  size_t access_count() const { return loop_.loads.size() + loop_.stores.size(); }
  /// What a kernel does with its loop's list of extents and strides.
  void take_extents(const std::function<Value*(size_t axis)>& extent,
                    const std::function<Value*(size_t access, size_t axis)>& stride);

  llvm::Module& module_;
  const Arrangement& arranged_;
  const tensor::Loop& loop_;
  llvm::IRBuilder<> ir_;
  const Vectors v;
  Pointwise pointwise_;
  llvm::Function* function_ = nullptr;

  std::vector<Value*> pointers_;                      // per access
  std::map<int, Value*> extents_;                     // by a group's first axis
  std::map<std::pair<size_t, int>, Value*> strides_;  // by access and a group's first axis
  std::vector<Value*> immediates_;                    // as lanes
  Value *seed_ = nullptr, *step_ = nullptr;
  std::vector<Value*> sites_;    // per random operation
  std::vector<bool> invariant_;  // per scalar: the same along the vector axis
  std::vector<Value*> values_;   // per scalar: the invariant ones

 private:
  void find_invariants();
  Value* emit_load(size_t load, const Place& place, Value* j, Value* mask);
  enum class Touch : uint8_t { read = 0, write = 1 };
  /// Asks for what a map reaches a page later: the processor's own prefetching ends with each page, and
  /// starts anew at the pace of memory.
  void prefetch(Value* pointer, Touch touch);
  Value* strided_pointers(size_t access, Value* base, Value* j);
  Value* emit_sampler(const tensor::Scalar& scalar, size_t number, Value* element,
                      const std::vector<Value*>& values);
  Value* emit_scalar(size_t i, const Place& place, Value* j, Value* mask, const std::vector<Value*>& values);
};

}  // namespace lower
