#include "compiler/lower/loops/vectors.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsNVPTX.h>

#include <numeric>

namespace lower {

llvm::Type* Vectors::widen(llvm::Type* scalar) const {
  return lanes == 1 ? scalar : llvm::FixedVectorType::get(scalar, lanes);
}

Value* Vectors::real(double number) const { return llvm::ConstantFP::get(f32(), number); }

Value* Vectors::bits(uint32_t number) const { return llvm::ConstantInt::get(i32(), number); }

Value* Vectors::splat(Value* scalar) const {
  return lanes == 1 ? scalar : ir.CreateVectorSplat(lanes, scalar);
}

Value* Vectors::lane_numbers() const {
  if (lanes == 1) return ir.getInt32(0);
  std::vector<uint32_t> numbers(lanes);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return llvm::ConstantDataVector::get(ir.getContext(), numbers);
}

Value* Vectors::fma(Value* a, Value* b, Value* c) const {
  return ir.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
}

Value* Vectors::divide(Value* a, Value* b) const {
  if (!for_ptx) return ir.CreateFDiv(a, b);
  return ir.CreateIntrinsic(ir.getFloatTy(), llvm::Intrinsic::nvvm_div_approx_ftz_f, {a, b});
}

Value* Vectors::abs(Value* a) const { return ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, a); }
Value* Vectors::sqrt(Value* a) const { return ir.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, a); }
Value* Vectors::floor(Value* a) const { return ir.CreateUnaryIntrinsic(llvm::Intrinsic::floor, a); }

Value* Vectors::minimum(Value* a, Value* b) const { return select(ir.CreateFCmpOLT(a, b), a, b); }
Value* Vectors::maximum(Value* a, Value* b) const { return select(ir.CreateFCmpOGT(a, b), a, b); }

Value* Vectors::round(Value* a, Value** integer) const {
  // Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the mantissa.
  Value* magic = real(12582912.0);
  Value* shifted = ir.CreateFAdd(a, magic);
  if (integer != nullptr) *integer = ir.CreateSub(as_bits(shifted), bits(0x4B400000U));
  return ir.CreateFSub(shifted, magic);
}

Value* Vectors::polynomial(Value* x, std::initializer_list<double> coefficients) const {
  auto next = std::rbegin(coefficients);
  Value* sum = real(*next);
  for (++next; next != std::rend(coefficients); ++next) sum = fma(sum, x, real(*next));
  return sum;
}

/// Joins the values that arrive from two basic blocks.
static Carried joined(llvm::IRBuilder<>& ir, llvm::BasicBlock* first, const Carried& of_first,
                      llvm::BasicBlock* second, const Carried& of_second) {
  Carried result;
  for (size_t i = 0; i < of_first.size(); ++i) {
    llvm::PHINode* phi = ir.CreatePHI(of_first[i]->getType(), 2);
    phi->addIncoming(of_first[i], first);
    phi->addIncoming(of_second[i], second);
    result.push_back(phi);
  }
  return result;
}

Carried count(llvm::IRBuilder<>& ir, Value* from, Value* to, Value* step, const Carried& initial,
              const std::function<Carried(Value*, const Carried&)>& body) {
  llvm::Function* function = ir.GetInsertBlock()->getParent();
  llvm::LLVMContext& context = ir.getContext();
  llvm::BasicBlock* before = ir.GetInsertBlock();
  auto* loop = llvm::BasicBlock::Create(context, "loop", function);
  auto* after = llvm::BasicBlock::Create(context, "after", function);
  ir.CreateCondBr(ir.CreateICmpSLT(from, to), loop, after);

  ir.SetInsertPoint(loop);
  llvm::PHINode* index = ir.CreatePHI(from->getType(), 2);
  index->addIncoming(from, before);
  Carried carried;
  for (Value* value : initial) {
    llvm::PHINode* phi = ir.CreatePHI(value->getType(), 2);
    phi->addIncoming(value, before);
    carried.push_back(phi);
  }
  const Carried next = body(index, carried);
  Value* next_index = ir.CreateNSWAdd(index, step);
  llvm::BasicBlock* last = ir.GetInsertBlock();
  index->addIncoming(next_index, last);
  for (size_t i = 0; i < carried.size(); ++i) {
    llvm::cast<llvm::PHINode>(carried[i])->addIncoming(next[i], last);
  }
  ir.CreateCondBr(ir.CreateICmpSLT(next_index, to), loop, after);

  ir.SetInsertPoint(after);
  return joined(ir, before, initial, last, next);
}

void when(llvm::IRBuilder<>& ir, Value* condition, const std::function<void()>& body) {
  when(ir, condition, {}, [&] {
    body();
    return Carried{};
  });
}

Carried when(llvm::IRBuilder<>& ir, Value* condition, const Carried& otherwise,
             const std::function<Carried()>& body) {
  llvm::Function* function = ir.GetInsertBlock()->getParent();
  llvm::BasicBlock* before = ir.GetInsertBlock();
  auto* then = llvm::BasicBlock::Create(ir.getContext(), "then", function);
  auto* after = llvm::BasicBlock::Create(ir.getContext(), "after", function);
  ir.CreateCondBr(condition, then, after);
  ir.SetInsertPoint(then);
  const Carried changed = body();
  llvm::BasicBlock* last = ir.GetInsertBlock();
  ir.CreateBr(after);
  ir.SetInsertPoint(after);
  return joined(ir, before, otherwise, last, changed);
}

}  // namespace lower
