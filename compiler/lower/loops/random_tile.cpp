#include "compiler/lower/loops/random_tile.h"

#include <llvm/IR/Module.h>

#include "compiler/lower/host.h"
#include "compiler/lower/loops/elementary.h"

namespace lower {
namespace {

struct Product {
  Value *high, *low;
};

/// The 64-bit products of i32 lanes and a constant. The processor multiplies the low halves of 64-bit lanes,
/// so even and odd lanes are multiplied separately.
Product multiply(const Vectors& v, Value* a, uint32_t b) {
  llvm::IRBuilder<>& ir = v.ir;
  if (v.lanes == 1) {
    Value* wide = ir.CreateMul(ir.CreateZExt(a, ir.getInt64Ty()), ir.getInt64(b));
    return {ir.CreateTrunc(ir.CreateLShr(wide, 32), ir.getInt32Ty()), ir.CreateTrunc(wide, ir.getInt32Ty())};
  }
  auto* halves = llvm::FixedVectorType::get(ir.getInt64Ty(), v.lanes / 2);
  Value* pairs = ir.CreateBitCast(a, halves);
  Value* factor = llvm::ConstantInt::get(halves, b);
  Value* even = ir.CreateMul(ir.CreateAnd(pairs, 0xFFFFFFFFU), factor);
  Value* odd = ir.CreateMul(ir.CreateLShr(pairs, 32), factor);
  Value* even_words = ir.CreateBitCast(even, v.i32());
  Value* odd_words = ir.CreateBitCast(odd, v.i32());
  std::vector<int> low, high;
  for (unsigned lane = 0; lane < v.lanes; lane += 2) {
    const int i = static_cast<int>(lane), other = static_cast<int>(v.lanes + lane);
    low.insert(low.end(), {i, other});
    high.insert(high.end(), {i + 1, other + 1});
  }
  return {ir.CreateShuffleVector(even_words, odd_words, high),
          ir.CreateShuffleVector(even_words, odd_words, low)};
}

Value* uniform_of(const Vectors& v, Value* word) {
  Value* top = v.ir.CreateSIToFP(v.ir.CreateLShr(word, 9), v.f32());
  return v.ir.CreateFMul(v.ir.CreateFAdd(top, v.real(0.5)), v.real(0x1p-23));
}

}  // namespace

bool is_plain_draw(const tensor::Scalar& scalar) {
  return scalar.kind == tensor::Scalar::Kind::operation &&
         semantics::info(scalar.op).group == semantics::OpGroup::random && scalar.inputs[0] < 0;
}

std::array<Value*, 4> emit_philox(const Vectors& v, std::array<Value*, 4> c, std::array<Value*, 2> key) {
  // A loop instead of ten copies: to generate code for the copies took as long as for ten ordinary kernels.
  const Carried initial = {c[0], c[1], c[2], c[3], key[0], key[1]};
  const auto round = [&](Value*, const Carried& at) {
    const Product first = multiply(v, at[0], 0xD2511F53U);
    const Product second = multiply(v, at[2], 0xCD9E8D57U);
    return Carried{v.ir.CreateXor(v.ir.CreateXor(second.high, at[1]), at[4]),
                   second.low,
                   v.ir.CreateXor(v.ir.CreateXor(first.high, at[3]), at[5]),
                   first.low,
                   v.ir.CreateAdd(at[4], v.bits(0x9E3779B9U)),
                   v.ir.CreateAdd(at[5], v.bits(0xBB67AE85U))};
  };
  const Carried drawn = count(v.ir, v.ir.getInt32(0), v.ir.getInt32(10), v.ir.getInt32(1), initial, round);
  return {drawn[0], drawn[1], drawn[2], drawn[3]};
}

Value* emit_draw(const Vectors& v, semantics::Op distribution, Value* word, Value* angle) {
  Value* value = uniform_of(v, word);
  if (distribution == semantics::Op::gumbel) return v.negate(emit_log(v, v.negate(emit_log(v, value))));
  if (distribution != semantics::Op::normal) return value;
  Value* radius = v.sqrt(v.ir.CreateFMul(v.real(-2), emit_log(v, value)));
  return v.ir.CreateFMul(radius, emit_cos_of_turns(v, uniform_of(v, angle)));
}

llvm::Function* tile_filler(llvm::Module& module, unsigned lanes, semantics::Op distribution) {
  const std::string name = std::string("fill_") + semantics::info(distribution).name;
  if (llvm::Function* made = module.getFunction(name)) return made;

  llvm::IRBuilder<> ir(module.getContext());
  auto* type = llvm::FunctionType::get(
      ir.getVoidTy(), {ir.getPtrTy(), ir.getInt64Ty(), ir.getInt64Ty(), ir.getInt64Ty(), ir.getInt32Ty()},
      false);
  auto* function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, module);
  prepare_function(*function);
  ir.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function));
  const Vectors v{ir, lanes};
  Value* tile = function->getArg(0);
  Value* first_counter = ir.CreateTrunc(ir.CreateShl(function->getArg(1), 5), ir.getInt32Ty());
  const auto words = [&](Value* number, int shift) {
    return ir.CreateTrunc(ir.CreateLShr(number, shift), ir.getInt32Ty());
  };
  // The key is the same in all lanes.
  Value* seed = function->getArg(2);
  Value* step = function->getArg(3);
  const std::array<Value*, 2> key = {v.splat(words(seed, 0)), v.splat(words(seed, 32))};
  const auto draw = [&](Value* c, Value* site) {
    return emit_philox(v, {c, v.splat(site), v.splat(words(step, 0)), v.splat(words(step, 32))}, key);
  };

  count(ir, ir.getInt32(0), ir.getInt32(32), ir.getInt32(lanes), {}, [&](Value* offset, const Carried&) {
    Value* c = ir.CreateAdd(v.splat(ir.CreateAdd(first_counter, offset)), v.lane_numbers());
    Value* site = function->getArg(4);
    const auto drawn = draw(c, site);
    std::array<Value*, 4> angles{};
    if (distribution == semantics::Op::normal) angles = draw(c, ir.CreateOr(site, ir.getInt32(0x80000000U)));
    for (unsigned word = 0; word < 4; ++word) {
      Value* value = emit_draw(v, distribution, drawn[word], angles[word]);
      Value* place = ir.CreateAdd(offset, ir.getInt32(word * 32));
      ir.CreateAlignedStore(value, ir.CreateGEP(ir.getFloatTy(), tile, place), llvm::Align(4));
    }
    return Carried{};
  });
  ir.CreateRetVoid();
  return function;
}

}  // namespace lower
