#include "compiler/lower/device/emit_device_runtime.h"

#include <limits>

#include "compiler/lower/device/kernel_parameters.h"
#include "compiler/lower/loops/random_tile.h"
#include "compiler/lower/loops/vectors.h"

namespace lower {
namespace {

constexpr unsigned block = 256;

/// One kernel while it is written: its parameters, and functions that emit reads and writes of memory.
template <template <template <class> class> class Kernel>
class RuntimeKernel {
 public:
  RuntimeKernel(DeviceForm form, llvm::Module& module)
      : ir(module.getContext()),
        v{ir, 1, form == DeviceForm::ptx},
        real(ir.getFloatTy()),
        long_(ir.getInt64Ty()) {
    grid = make_grid(form, module, p.name, parameter_types(p, module.getContext()), block);
    ir.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", grid->function()));
    llvm::FastMathFlags flags;
    flags.setAllowContract();
    ir.setFastMathFlags(flags);
    set_values(p, grid->parameters(ir));
  }
  ~RuntimeKernel() { ir.CreateRetVoid(); }
  RuntimeKernel(const RuntimeKernel&) = delete;

  Value* wide(Value* number) { return ir.CreateZExt(number, long_); }
  Value* i64(uint64_t number) { return ir.getInt64(number); }
  Value* place(llvm::Type* type, Value* base, Value* index) { return ir.CreateGEP(type, base, index); }
  Value* load(llvm::Type* type, Value* base, Value* index) {
    return ir.CreateLoad(type, place(type, base, index));
  }
  Value* load(Value* base, Value* index) { return load(real, base, index); }
  Value* number(Value* base, uint64_t index) { return load(real, base, i64(index)); }
  void store(Value* value, Value* base, Value* index) {
    ir.CreateStore(value, place(value->getType(), base, index));
  }
  /// Runs body(i) once for each i in [0, end), spread over all threads of the grid.
  void each(Value* end, const std::function<void(Value*)>& body) {
    grid->part(ir, [&](Value* thread) {
      Value* first = wide(ir.CreateAdd(ir.CreateMul(grid->block_x, grid->threads), thread));
      walk(first, end, wide(ir.CreateMul(grid->blocks_x, grid->threads)), body);
    });
  }
  void walk(Value* from, Value* to, Value* step, const std::function<void(Value*)>& body) {
    count(ir, from, to, step, {}, [&](Value* i, const Carried&) {
      body(i);
      return Carried{};
    });
  }
  void only_thread_0(const std::function<void()>& body) {
    grid->part(ir, [&](Value* thread) { when(ir, ir.CreateICmpEQ(thread, ir.getInt32(0)), body); });
  }

  llvm::IRBuilder<> ir;
  Vectors v;
  llvm::Type *real, *long_;
  std::unique_ptr<Grid> grid;
  Kernel<Emitted> p;
};

// The places of the clock's numbers: {seed, step of draws, step, first step of the table}.
struct Clock {
  static constexpr uint64_t seed = 0, draws = 1, step = 2, table_begin = 3;
};

void emit_set_sweep(DeviceForm form, llvm::Module& module) {
  RuntimeKernel<schema::SetSweep> t(form, module);
  t.only_thread_0([&] {
    Value* now = t.load(t.long_, t.p.clock, t.i64(Clock::step));
    t.store(t.ir.CreateAdd(now, t.ir.CreateShl(t.p.sweep, 32)), t.p.clock, t.i64(Clock::draws));
  });
}

void emit_next_sweep(DeviceForm form, llvm::Module& module) {
  RuntimeKernel<schema::NextSweep> t(form, module);
  t.only_thread_0([&] {
    Value* now = t.load(t.long_, t.p.clock, t.i64(Clock::draws));
    t.store(t.ir.CreateAdd(now, t.i64(uint64_t{1} << 32)), t.p.clock, t.i64(Clock::draws));
  });
}

void emit_end_step(DeviceForm form, llvm::Module& module) {
  RuntimeKernel<schema::EndStep> t(form, module);
  llvm::IRBuilder<>& ir = t.ir;
  Value* next = ir.CreateAdd(t.load(t.long_, t.p.clock, t.i64(Clock::step)), t.i64(1));
  t.each(t.p.count, [&](Value* i) {
    Value* value = ir.CreateLoad(t.real, t.load(ir.getPtrTy(), t.p.values, i));
    Value* coefficient = ir.CreateLoad(t.real, t.load(ir.getPtrTy(), t.p.coefficients, i));
    Value* counts = ir.CreateFCmpUNE(coefficient, t.v.real(0));
    Value* before = t.load(ir.getDoubleTy(), t.p.sums, i);
    Value* sum = ir.CreateFAdd(before, ir.CreateFPExt(value, ir.getDoubleTy()));
    t.store(ir.CreateSelect(counts, sum, before), t.p.sums, i);
    Value* finite = ir.CreateFCmpOLT(t.v.abs(value), t.v.real(std::numeric_limits<double>::infinity()));
    Value* first_bad = t.load(t.long_, t.p.bad, i);
    Value* fresh = ir.CreateAnd(ir.CreateNot(finite), ir.CreateICmpEQ(first_bad, t.i64(0)));
    t.store(ir.CreateSelect(fresh, next, first_bad), t.p.bad, i);
  });
  Value* row = ir.CreateSub(next, t.load(t.long_, t.p.clock, t.i64(Clock::table_begin)));
  Value* first = ir.CreateMul(row, t.p.width);
  t.each(t.p.width, [&](Value* i) { t.store(t.load(t.p.table, ir.CreateAdd(first, i)), t.p.numbers, i); });
  t.grid->barrier(ir);
  t.only_thread_0([&] {
    t.store(next, t.p.clock, t.i64(Clock::step));
    t.store(next, t.p.clock, t.i64(Clock::draws));
  });
}

void emit_gather(DeviceForm form, llvm::Module& module) {
  RuntimeKernel<schema::GatherRows> t(form, module);
  llvm::IRBuilder<>& ir = t.ir;
  const auto low = [&](Value* number) { return ir.CreateTrunc(number, ir.getInt32Ty()); };
  const auto high = [&](Value* number) { return low(ir.CreateLShr(number, 32)); };
  t.grid->part(ir, [&](Value* thread) {
    Value* key = t.load(t.long_, t.p.clock, t.i64(Clock::seed));
    Value* now = t.load(t.long_, t.p.clock, t.i64(Clock::step));
    Value* place = ir.CreateAdd(t.p.place, t.grid->block_x);
    const auto words = emit_philox(t.v, {place, t.p.site, low(now), high(now)}, {low(key), high(key)});
    llvm::Type* double_long = ir.getInt128Ty();
    Value* drawn = ir.CreateOr(t.wide(words[0]), ir.CreateShl(t.wide(words[1]), 32));
    Value* product = ir.CreateMul(ir.CreateZExt(drawn, double_long), ir.CreateZExt(t.p.rows, double_long));
    Value* row = ir.CreateTrunc(ir.CreateLShr(product, 64), t.long_);
    Value* from = ir.CreateMul(row, t.p.width);
    Value* to = ir.CreateMul(t.wide(t.grid->block_x), t.p.width);
    t.walk(t.wide(thread), t.p.width, t.wide(t.grid->threads),
           [&](Value* i) { t.store(t.load(t.p.data, ir.CreateAdd(from, i)), t.p.to, ir.CreateAdd(to, i)); });
  });
}

void emit_add(DeviceForm form, llvm::Module& module) {
  RuntimeKernel<schema::Add> t(form, module);
  t.each(t.p.count,
         [&](Value* i) { t.store(t.v.fma(t.p.factor, t.load(t.p.from, i), t.load(t.p.to, i)), t.p.to, i); });
}

void emit_average(DeviceForm form, llvm::Module& module) {
  RuntimeKernel<schema::MoveAverage> t(form, module);
  Value* share = t.number(t.p.share, 0);
  t.each(t.p.count, [&](Value* i) {
    Value* average = t.load(t.p.average, i);
    Value* difference = t.ir.CreateFSub(t.load(t.p.parameters, i), average);
    t.store(t.v.fma(share, difference, average), t.p.average, i);
  });
}

}  // namespace

void emit_device_runtime(DeviceForm form, llvm::Module& module) {
  for (const auto emit :
       {emit_set_sweep, emit_next_sweep, emit_end_step, emit_gather, emit_add, emit_average})
    emit(form, module);
}

}  // namespace lower
