// The inside of a kernel: it reads its vae_loop into values, has the element-wise body, and walks over rows
// and vectors. In: an arrangement. emit_loop.cpp makes the three forms of kernels from these parts.
#pragma once
#include <llvm/IR/Module.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compiler/lower/loops/arrange.h"
#include "compiler/lower/loops/pointwise.h"
#include "compiler/lower/loops/vectors.h"

namespace lower {

class LoopBody {
 protected:
  /// Where a walk along the vector axis starts: a pointer for each access, and the index in each other group.
  struct Place {
    std::vector<Value*> bases;
    std::map<int, Value*> index;  // by the group's first axis
    Value* element = nullptr;     // the linear number of the first element
  };
  using Body = std::function<Carried(Value* j, Value* mask, const Carried& carried)>;

  /// Begins the empty function, in vectors of `lanes`. The derived class must then read the loop.
  LoopBody(llvm::Function* function, const Arrangement& arrangement, unsigned lanes, bool for_ptx = false);
  virtual ~LoopBody() = default;

  /// The draw of scalar `i` at `element`, and at the elements of the lanes after it. The draw has no
  /// parameters.
  virtual Value* draw(size_t i, Value* element) = 0;
  /// Reads or writes all lanes of an access that is contiguous along the vector axis.
  virtual Value* read_contiguous(size_t load, Value* pointer) {
    return read(load, ir_.CreateAlignedLoad(v.f32(), pointer, llvm::Align(4)));
  }
  virtual void write_contiguous(size_t /*store*/, Value* value, Value* pointer) {
    ir_.CreateAlignedStore(value, pointer, llvm::Align(4));
  }
  /// Called with each instruction that reads for a load.
  virtual Value* read(size_t /*load*/, llvm::LoadInst* instruction) { return instruction; }
  /// Splits an index: number = quotient * by + remainder.
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
  /// Computes the values that do not change along the vector axis, before the axis is walked.
  void emit_invariants(const Place& place);
  std::vector<Value*> emit_body(const Place& place, Value* j, Value* mask);
  /// Which of the lanes that start at `j` lie before `to`.
  Value* lanes_before(Value* j, Value* to);
  /// Walks over [from, to) in whole vectors, then over the rest with a mask.
  Carried walk(Value* from, Value* to, const Carried& initial, const Body& body);
  /// `from` moved by `index` along one group.
  Place moved_along(const Place& from, const AxisGroup& group, Value* index);
  /// `from` moved to the index `number` of the groups, where `number` counts through all groups in row-major
  /// order.
  Place moved(const Place& from, const std::vector<AxisGroup>& groups, size_t group_count, Value* number);
  Value* extent_of(const std::vector<AxisGroup>& groups, size_t group_count);

  std::vector<size_t> combining_stores() const;
  /// The value with which a combination begins, and the combination of two values.
  Value* neutral(tensor::Combine combine);
  Carried neutrals(const std::vector<size_t>& stores);
  Value* combined(tensor::Combine combine, Value* a, Value* b);

  size_t access_count() const { return loop_.loads.size() + loop_.stores.size(); }
  /// Keeps the extents and strides that the kernel needs of those in its loop.
  void take_extents(const std::function<Value*(size_t axis)>& extent,
                    const std::function<Value*(size_t access, size_t axis)>& stride);

  llvm::Module& module_;
  const Arrangement& arranged_;
  const tensor::Loop& loop_;
  llvm::IRBuilder<> ir_;
  const Vectors v;
  Pointwise pointwise_;
  llvm::Function* function_ = nullptr;

  std::vector<Value*> pointers_;                      // by access
  std::map<int, Value*> extents_;                     // by a group's first axis
  std::map<std::pair<size_t, int>, Value*> strides_;  // by access and a group's first axis
  std::vector<Value*> immediates_;                    // in all lanes
  Value *seed_ = nullptr, *step_ = nullptr;
  std::vector<Value*> sites_;    // by random operation
  std::vector<bool> invariant_;  // by scalar: is it the same along the vector axis?
  std::vector<Value*> values_;   // by scalar: the value, if it is invariant

 private:
  void find_invariants();
  Value* emit_load(size_t load, const Place& place, Value* j, Value* mask);
  enum class Touch : uint8_t { read = 0, write = 1 };
  /// Prefetches the data that a map will reach one page later. The processor's own prefetching stops at the
  /// end of each page and then starts again slowly.
  void prefetch(Value* pointer, Touch touch);
  Value* strided_pointers(size_t access, Value* base, Value* j);
  Value* emit_sampler(const tensor::Scalar& scalar, size_t number, Value* element,
                      const std::vector<Value*>& values);
  Value* emit_scalar(size_t i, const Place& place, Value* j, Value* mask, const std::vector<Value*>& values);
};

}  // namespace lower
