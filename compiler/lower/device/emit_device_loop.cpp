#include "compiler/lower/device/emit_device_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "compiler/lower/device/kernel_parameters.h"
#include "compiler/lower/loops/loop_body.h"
#include "compiler/lower/loops/random_tile.h"
#include "compiler/tensor/passes/canonicalise_loops.h"

namespace lower {
namespace {

using tensor::Combine;
using Mapping = DeviceKernel::Mapping;

// Elements that a thread sums in float before it adds the sum in double.
constexpr int64_t summed_by_thread = 256;
constexpr size_t most_parameter_bytes = 4096;  // of a kernel
constexpr unsigned shared_bytes = 48U * 1024;  // the shared memory of a block that every GPU has

using Parameters = schema::LoopKernel<Emitted>;

/// The parameters of the loop's kernel, without their values.
Parameters parameters_of(const Arrangement& arrangement) {
  const tensor::Loop& loop = arrangement.loop;
  Parameters parameters;
  parameters.pointers.resize(loop.loads.size() + loop.stores.size());
  parameters.rows.resize(static_cast<size_t>(
      std::ranges::count_if(loop.space, [](const tensor::Extent& extent) { return extent.batch >= 0; })));
  parameters.scalars.resize(arrangement.scalars.size());
  parameters.sites.resize(arrangement.sites.size());
  if (!arrangement.sites.empty()) {
    parameters.clock.emplace();
    parameters.first.emplace();
  }
  if (arrangement.form != Form::map) {
    parameters.log_width.emplace();
    parameters.partials.emplace();
    parameters.counters.emplace();
  }
  return parameters;
}

/// fuse joins so little into one loop that its kernel's parameters fit; a loop from elsewhere may be larger.
template <class Kernel>
void require_few_parameters(Kernel& parameters, const std::string& name) {
  const size_t bytes = parameter_bytes(parameters);
  if (bytes > most_parameter_bytes)
    throw std::runtime_error(
        fmt::format("the loop `{}` needs {} bytes of parameters, and a GPU's kernel has {}", name, bytes,
                    most_parameter_bytes));
}

class DeviceLoop : LoopBody {
 public:
  /// Begins with a block of its own. The grid must then be told its numbers before emit().
  DeviceLoop(Grid& grid, const Arrangement& arrangement, const DeviceKernel& kernel)
      : LoopBody(grid.function(), arrangement, 1, grid.is_ptx()), grid_(grid), kernel_(kernel) {}

  llvm::IRBuilder<>& builder() { return ir_; }

  void emit(const Parameters& parameters) {
    take(parameters);
    if (arranged_.form == Form::map) {
      emit_map();
    } else {
      emit_reduction();
    }
    ir_.CreateRetVoid();
  }

 private:
  void take(const Parameters& parameters) {
    pointers_.assign(parameters.pointers.begin(), parameters.pointers.end());
    std::vector<Value*> extents;
    auto rows = parameters.rows.begin();
    for (const tensor::Extent& extent : loop_.space)
      extents.push_back(extent.batch >= 0 ? (rows++)->value : i64(extent.size));
    std::vector<const tensor::Access*> accesses;
    tensor::for_each_access(loop_, [&](const tensor::Access& access) { accesses.push_back(&access); });
    take_extents([&](size_t axis) { return extents[axis]; },
                 [&](size_t access, size_t axis) { return i64(accesses[access]->strides[axis]); });
    immediates_.assign(parameters.scalars.begin(), parameters.scalars.end());
    sites_.assign(parameters.sites.begin(), parameters.sites.end());
    if (parameters.clock) {
      seed_ = ir_.CreateLoad(ir_.getInt64Ty(), *parameters.clock);
      step_ =
          ir_.CreateLoad(ir_.getInt64Ty(), ir_.CreateConstGEP1_64(ir_.getInt64Ty(), *parameters.clock, 1));
      first_element_ = *parameters.first;
    }
    if (arranged_.form == Form::map) return;
    log_width_ = *parameters.log_width;
    partials_ = *parameters.partials;
    counters_ = *parameters.counters;
  }

  Quotient divide(Value* number, Value* by) override {
    // Divides in 32 bits, because 64 bits cost several times as much. The runtime refuses spaces of 2^31
    // elements.
    Value* a = ir_.CreateTrunc(number, ir_.getInt32Ty());
    Value* b = ir_.CreateTrunc(by, ir_.getInt32Ty());
    Value* quotient = ir_.CreateUDiv(a, b);
    Value* remainder = ir_.CreateSub(a, ir_.CreateMul(quotient, b));
    return {wide(quotient), wide(remainder)};
  }

  Value* draw(size_t i, Value*) override { return draws_[i]; }

  Value* wide(Value* number) { return ir_.CreateZExt(number, ir_.getInt64Ty()); }

  /// Runs body(number) once for each number in [0, end), spread over all threads of the grid.
  void for_each_number(Value* end, const std::function<void(Value*)>& body) {
    grid_.part(ir_, [&](Value* thread) {
      Value* first = wide(ir_.CreateAdd(ir_.CreateMul(grid_.block_x, grid_.threads), thread));
      Value* step = wide(ir_.CreateMul(grid_.blocks_x, grid_.threads));
      count(ir_, first, end, step, {}, [&](Value* number, const Carried&) {
        body(number);
        return Carried{};
      });
    });
  }

  void emit_map() {
    Value* total = extent_of(arranged_.kept, arranged_.kept.size());
    if (kernel_.mapping == Mapping::elements)
      return for_each_number(total, [&](Value* element) { emit_element(element); });
    if (kernel_.mapping == Mapping::quads)
      return for_each_number(ir_.CreateLShr(total, 2),
                             [&](Value* quad) { emit_quad(ir_.CreateShl(quad, 2)); });
    // The counters of the tiles that have an element of this loop
    Value* first_tile = ir_.CreateLShr(first_element_, 7);
    Value* end_tile = ir_.CreateLShr(element_number(ir_.CreateAdd(total, i64(tile_size - 1))), 7);
    Value* counters = ir_.CreateShl(ir_.CreateSub(end_tile, first_tile), 5);
    for_each_number(counters, [&](Value* number_of_counter) {
      Value* counter = ir_.CreateAdd(ir_.CreateShl(first_tile, 5), number_of_counter);
      const auto words = draw_words(counter);
      Value* tile = ir_.CreateShl(ir_.CreateLShr(counter, 5), 7);
      Value* first = ir_.CreateSub(ir_.CreateAdd(tile, ir_.CreateAnd(counter, 31)), first_element_);
      count(ir_, ir_.getInt32(0), ir_.getInt32(4), ir_.getInt32(1), {}, [&](Value* number, const Carried&) {
        Value* element = ir_.CreateAdd(first, ir_.CreateShl(wide(number), 5));
        // Unsigned: an element before the loop's first one is a large number.
        when(ir_, ir_.CreateICmpULT(element, total), [&] {
          choose_draws(words, number);
          emit_element(element);
        });
        return Carried{};
      });
    });
  }

  void emit_element(Value* element) {
    const auto [place, j] = place_of(element);
    emit_invariants(place);
    emit_body(place, j, nullptr);
  }

  /// The number that draws give to an element of the space.
  Value* element_number(Value* element) {
    return first_element_ == nullptr ? element : ir_.CreateAdd(first_element_, element);
  }

  /// The place of an element of the kept space, and its index along the vector axis.
  std::pair<Place, Value*> place_of(Value* element) {
    const Place start{pointers_, {}, element_number(i64(0))};
    if (arranged_.is_flat()) return {start, element};
    const Quotient divided = divide(element, extents_[vector_group().begin]);
    Place place = moved(start, arranged_.kept, arranged_.kept.size() - 1, divided.quotient);
    place.element = element_number(ir_.CreateSub(element, divided.remainder));
    return {place, divided.remainder};
  }

  /// Computes four elements in a row. Their operands are read before any result is written.
  void emit_quad(Value* first) {
    const auto [place, j] = place_of(first);
    const auto contiguous = [&](const std::vector<Motion>& motions, size_t i) {
      return motions[i] == Motion::contiguous;
    };
    auto* quad = llvm::FixedVectorType::get(ir_.getFloatTy(), 4);
    const llvm::Align alignment(16);
    const size_t loads = loop_.loads.size(), stores = loop_.stores.size();
    read_.assign(loads, nullptr);
    written_.assign(stores, llvm::PoisonValue::get(quad));
    for (size_t i = 0; i < loads; ++i)
      if (contiguous(arranged_.load_motions, i))
        read_[i] = read(i, ir_.CreateAlignedLoad(quad, at(place.bases[i], j), alignment));
    emit_invariants(place);
    for (lane_ = 0; lane_ < 4; ++lane_)
      emit_body(place, ir_.CreateAdd(j, i64(static_cast<int64_t>(lane_))), nullptr);
    for (size_t i = 0; i < stores; ++i)
      if (contiguous(arranged_.store_motions, i))
        ir_.CreateAlignedStore(written_[i], at(place.bases[loads + i], j), alignment);
  }

  Value* read_contiguous(size_t load, Value* pointer) override {
    if (kernel_.mapping != Mapping::quads) return LoopBody::read_contiguous(load, pointer);
    return ir_.CreateExtractElement(read_[load], lane_);
  }

  /// The instruction is then ld.global.nc. The processor that runs the host form has no such thing.
  Value* read(size_t load, llvm::LoadInst* instruction) override {
    if (grid_.is_ptx() && load < arranged_.only_read.size() && arranged_.only_read[load])
      instruction->setMetadata(llvm::LLVMContext::MD_invariant_load,
                               llvm::MDNode::get(instruction->getContext(), {}));
    return instruction;
  }

  void write_contiguous(size_t store, Value* value, Value* pointer) override {
    if (kernel_.mapping != Mapping::quads) return LoopBody::write_contiguous(store, value, pointer);
    written_[store] = ir_.CreateInsertElement(written_[store], value, lane_);
  }

  struct Words {
    std::array<Value*, 4> words{}, angles{};
  };

  /// By scalar of the body: the four words of this counter, if the scalar is a plain draw.
  std::vector<Words> draw_words(Value* counter) {
    const auto low = [&](Value* number) { return ir_.CreateTrunc(number, ir_.getInt32Ty()); };
    const auto high = [&](Value* number) { return low(ir_.CreateLShr(number, 32)); };
    std::vector<Words> drawn(loop_.body.size());
    for (size_t i = 0; i < loop_.body.size(); ++i) {
      if (!is_plain_draw(loop_.body[i])) continue;
      const auto at_site = [&](Value* site) {
        return emit_philox(v, {low(counter), site, low(step_), high(step_)}, {low(seed_), high(seed_)});
      };
      Value* site = sites_[random_number(i)];
      drawn[i].words = at_site(site);
      if (loop_.body[i].op == semantics::Op::normal)
        drawn[i].angles = at_site(ir_.CreateOr(site, ir_.getInt32(0x80000000U)));
    }
    return drawn;
  }

  void choose_draws(const std::vector<Words>& drawn, Value* number) {
    const auto chosen = [&](const std::array<Value*, 4>& words) -> Value* {
      if (words[0] == nullptr) return nullptr;
      Value* low_bit = ir_.CreateTrunc(number, ir_.getInt1Ty());
      Value* even = ir_.CreateSelect(low_bit, words[1], words[0]);
      Value* odd = ir_.CreateSelect(low_bit, words[3], words[2]);
      return ir_.CreateSelect(ir_.CreateICmpUGT(number, ir_.getInt32(1)), odd, even);
    };
    draws_.assign(drawn.size(), nullptr);
    for (size_t i = 0; i < drawn.size(); ++i) {
      if (drawn[i].words[0] == nullptr) continue;
      draws_[i] = emit_draw(v, loop_.body[i].op, chosen(drawn[i].words), chosen(drawn[i].angles));
    }
  }

  /// The place of a thread in its block's reduction.
  struct Member {
    // Kept: the kept element (i64); rank: the thread's number among the threads of this element; slot: the
    // index into shared memory.
    Value *kept, *rank, *slot;
    Value* inside;  // whether the kept element exists
  };

  Member member(Value* thread) {
    Value *rank = nullptr, *column = nullptr;
    if (kernel_.mapping == Mapping::rows) {
      rank = ir_.CreateAnd(thread, ir_.CreateSub(width_, ir_.getInt32(1)));
      column = ir_.CreateLShr(thread, log_width_);
    } else {
      rank = ir_.CreateLShr(thread, log_columns_);
      column = ir_.CreateAnd(thread, ir_.CreateSub(columns_, ir_.getInt32(1)));
    }
    Value* kept = wide(ir_.CreateAdd(ir_.CreateMul(grid_.block_x, columns_), column));
    Value* slot = ir_.CreateAdd(ir_.CreateMul(rank, columns_), column);
    return {kept, rank, slot, ir_.CreateICmpSLT(kept, kept_count_)};
  }

  /// Where the reduction of one kept element starts.
  struct Cell {
    Place place;
    Value* j;  // the index along the vector axis, if that axis is kept
  };

  Cell cell(Value* kept) {
    const Place start{pointers_, {}, nullptr};
    if (kernel_.mapping == Mapping::rows)
      return {moved(start, arranged_.kept, arranged_.kept.size(), kept), nullptr};
    const Quotient divided = divide(kept, extents_[vector_group().begin]);
    return {moved(start, arranged_.kept, arranged_.kept.size() - 1, divided.quotient), divided.remainder};
  }

  std::vector<Value*> emit_reduced_element(const Cell& cell, Value* number) {
    if (kernel_.mapping == Mapping::columns) {
      const Place place = moved(cell.place, arranged_.reduced, arranged_.reduced.size(), number);
      emit_invariants(place);
      return emit_body(place, cell.j, nullptr);
    }
    if (arranged_.reduced.size() == 1) return emit_body(cell.place, number, nullptr);
    const Quotient divided = divide(number, extents_[vector_group().begin]);
    const Place place = moved(cell.place, arranged_.reduced, arranged_.reduced.size() - 1, divided.quotient);
    emit_invariants(place);
    return emit_body(place, divided.remainder, nullptr);
  }

  bool in_double(size_t store) const {
    return loop_.stores[store].combine == Combine::sum && !arranged_.short_sums;
  }

  /// Combines two values of a store.
  Value* joined(size_t store, Value* a, Value* b) { return combined(loop_.stores[store].combine, a, b); }

  Carried walk_share(const Cell& cell, Value* from, Value* to, Value* step) {
    return count(ir_, from, to, step, neutrals(stores_), [&](Value* number, const Carried& carried) {
      const auto values = emit_reduced_element(cell, number);
      Carried next;
      for (size_t k = 0; k < stores_.size(); ++k)
        next.push_back(
            joined(stores_[k], carried[k], values[static_cast<size_t>(loop_.stores[stores_[k]].scalar)]));
      return next;
    });
  }

  /// Combines this thread's share of the reduced elements, in the type of each store.
  Carried accumulate(const Member& me) {
    // A thread without an element takes the place of element 0, and its loop has length 0.
    const Cell own = cell(ir_.CreateSelect(me.inside, me.kept, i64(0)));
    if (kernel_.mapping == Mapping::rows && arranged_.reduced.size() == 1) emit_invariants(own.place);
    Value* end = ir_.CreateSelect(me.inside, reduced_count_, i64(0));
    Value* from = wide(ir_.CreateAdd(ir_.CreateMul(grid_.block_y, width_), me.rank));
    Value* step = wide(ir_.CreateMul(grid_.blocks_y, width_));
    if (arranged_.short_sums) return walk_share(own, from, end, step);
    Carried initial = neutrals(stores_);
    for (size_t k = 0; k < stores_.size(); ++k)
      if (in_double(stores_[k])) initial[k] = llvm::ConstantFP::get(ir_.getDoubleTy(), 0.0);
    Value* block = ir_.CreateNSWMul(step, i64(summed_by_thread));
    return count(ir_, from, end, block, initial, [&](Value* begin, const Carried& carried) {
      const Carried sums = walk_share(own, begin, smaller(ir_.CreateAdd(begin, block), end), step);
      Carried next;
      for (size_t k = 0; k < stores_.size(); ++k) {
        Value* sum = in_double(stores_[k]) ? ir_.CreateFPExt(sums[k], ir_.getDoubleTy()) : sums[k];
        next.push_back(joined(stores_[k], carried[k], sum));
      }
      return next;
    });
  }

  void emit_reduction() {
    stores_ = combining_stores();
    kept_count_ = extent_of(arranged_.kept, arranged_.kept.size());
    reduced_count_ = extent_of(arranged_.reduced, arranged_.reduced.size());
    width_ = ir_.CreateShl(ir_.getInt32(1), log_width_);
    columns_ = ir_.CreateLShr(grid_.threads, log_width_);  // a power of two, as the number of threads
    log_columns_ = ir_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, columns_, ir_.getTrue());
    for (const size_t store : stores_) {
      types_.push_back(in_double(store) ? ir_.getDoubleTy() : ir_.getFloatTy());
      shared_.push_back(grid_.shared(ir_, types_.back(), kernel_.threads));
    }
    Value* is_last = grid_.shared(ir_, ir_.getInt32Ty(), 1);

    grid_.part(ir_, [&](Value* thread) {
      const Member me = member(thread);
      const Carried sums = accumulate(me);
      for (size_t k = 0; k < stores_.size(); ++k) ir_.CreateStore(sums[k], slot(k, me.slot));
    });
    grid_.barrier(ir_);
    count(ir_, ir_.getInt32(0), log_width_, ir_.getInt32(1), {}, [&](Value* round, const Carried&) {
      Value* half = ir_.CreateLShr(width_, ir_.CreateAdd(round, ir_.getInt32(1)));
      grid_.part(ir_, [&](Value* thread) {
        const Member me = member(thread);
        when(ir_, ir_.CreateICmpULT(me.rank, half), [&] {
          for (size_t k = 0; k < stores_.size(); ++k) {
            Value* other = slot(k, ir_.CreateAdd(me.slot, ir_.CreateMul(half, columns_)));
            Value* sum = joined(stores_[k], ir_.CreateLoad(types_[k], slot(k, me.slot)),
                                ir_.CreateLoad(types_[k], other));
            ir_.CreateStore(sum, slot(k, me.slot));
          }
        });
      });
      grid_.barrier(ir_);
      return Carried{};
    });
    Value* alone = ir_.CreateICmpEQ(grid_.blocks_y, ir_.getInt32(1));
    when(ir_, alone, [&] {
      for_each_result([&](const Member& me) {
        Carried sums;
        for (size_t k = 0; k < stores_.size(); ++k)
          sums.push_back(ir_.CreateLoad(types_[k], slot(k, me.slot)));
        store_results(me, sums);
      });
    });
    when(ir_, ir_.CreateNot(alone), [&] { join_blocks(is_last); });
  }

  /// The first thread of each kept element runs body(me).
  void for_each_result(const std::function<void(const Member&)>& body) {
    grid_.part(ir_, [&](Value* thread) {
      const Member me = member(thread);
      Value* first = ir_.CreateICmpEQ(me.rank, ir_.getInt32(0));
      when(ir_, ir_.CreateAnd(first, me.inside), [&] { body(me); });
    });
  }

  void join_blocks(Value* is_last) {
    llvm::Type* real = ir_.getDoubleTy();
    for_each_result([&](const Member& me) {
      for (size_t k = 0; k < stores_.size(); ++k) {
        Value* sum = ir_.CreateLoad(types_[k], slot(k, me.slot));
        if (!in_double(stores_[k])) sum = ir_.CreateFPExt(sum, real);
        ir_.CreateStore(sum, partial(k, wide(grid_.block_y), me.kept), true);
      }
      grid_.publish(ir_);
    });
    grid_.barrier(ir_);
    grid_.part(ir_, [&](Value* thread) {
      when(ir_, ir_.CreateICmpEQ(thread, ir_.getInt32(0)), [&] {
        Value* counter = ir_.CreateGEP(ir_.getInt32Ty(), counters_, wide(grid_.block_x));
        Value* before = ir_.CreateAtomicRMW(llvm::AtomicRMWInst::Add, counter, ir_.getInt32(1),
                                            llvm::Align(4), llvm::AtomicOrdering::Monotonic);
        Value* last = ir_.CreateICmpEQ(before, ir_.CreateSub(grid_.blocks_y, ir_.getInt32(1)));
        ir_.CreateStore(ir_.CreateZExt(last, ir_.getInt32Ty()), is_last);
        when(ir_, last, [&] { ir_.CreateStore(ir_.getInt32(0), counter, true); });
        grid_.publish(ir_);
      });
    });
    grid_.barrier(ir_);
    Value* last = ir_.CreateICmpNE(ir_.CreateLoad(ir_.getInt32Ty(), is_last), ir_.getInt32(0));
    when(ir_, last, [&] {
      for_each_result([&](const Member& me) {
        const Carried sums =
            count(ir_, i64(0), wide(grid_.blocks_y), i64(1), double_neutrals(),
                  [&](Value* block, const Carried& carried) {
                    Carried next;
                    for (size_t k = 0; k < stores_.size(); ++k)
                      next.push_back(joined(stores_[k], carried[k],
                                            ir_.CreateLoad(real, partial(k, block, me.kept), true)));
                    return next;
                  });
        store_results(me, sums);
      });
    });
  }

  Carried double_neutrals() {
    Carried initial;
    for (Value* value : neutrals(stores_)) initial.push_back(ir_.CreateFPExt(value, ir_.getDoubleTy()));
    return initial;
  }

  Value* slot(size_t k, Value* index) { return ir_.CreateGEP(types_[k], shared_[k], wide(index)); }

  Value* partial(size_t k, Value* block, Value* kept) {
    Value* row = ir_.CreateAdd(ir_.CreateNSWMul(i64(static_cast<int64_t>(k)), wide(grid_.blocks_y)), block);
    return ir_.CreateGEP(ir_.getDoubleTy(), partials_,
                         ir_.CreateAdd(ir_.CreateNSWMul(row, kept_count_), kept));
  }

  void store_results(const Member& me, const Carried& sums) {
    const Cell own = cell(me.kept);
    for (size_t k = 0; k < stores_.size(); ++k) {
      Value* sum = sums[k];
      if (sum->getType()->isDoubleTy()) sum = ir_.CreateFPTrunc(sum, ir_.getFloatTy());
      if (kernel_.mapping == Mapping::columns) {
        emit_store(stores_[k], sum, own.place, own.j, nullptr);
      } else {
        ir_.CreateAlignedStore(sum, own.place.bases[loop_.loads.size() + stores_[k]], llvm::Align(4));
      }
    }
  }

  Grid& grid_;
  const DeviceKernel& kernel_;
  Value* first_element_ = nullptr;  // if the loop draws: the number of its first element
  // By scalar: the draw of this element.
  std::vector<Value*> draws_;
  // Of a quad: by load and by store four values in a row; and which of the four is computed.
  std::vector<Value*> read_, written_;
  uint64_t lane_ = 0;
  Value *log_width_ = nullptr, *partials_ = nullptr, *counters_ = nullptr;  // parameters of a reduction
  Value *width_ = nullptr, *columns_ = nullptr;  // threads of a kept element; kept elements of a block
  Value* log_columns_ = nullptr;
  Value *kept_count_ = nullptr, *reduced_count_ = nullptr;
  std::vector<size_t> stores_;  // the stores that combine; the lists below have their order
  std::vector<llvm::Type*> types_;
  std::vector<Value*> shared_;
};

Mapping mapping_of(const Arrangement& arrangement) {
  if (arrangement.form == Form::row_reduction) return Mapping::rows;
  if (arrangement.form == Form::column_reduction) return Mapping::columns;
  const auto& body = arrangement.loop.body;
  const bool draws = std::any_of(body.begin(), body.end(), is_plain_draw);
  return draws ? Mapping::draws : arrangement.quads ? Mapping::quads : Mapping::elements;
}

}  // namespace

DeviceKernel describe_device_loop(const Arrangement& arrangement, const std::string& name) {
  DeviceKernel kernel{name, mapping_of(arrangement)};
  for (const tensor::Store& store : arrangement.loop.stores) kernel.sums += store.combine != Combine::none;
  while (kernel.sums * kernel.threads * sizeof(double) > shared_bytes - 64) kernel.threads /= 2;
  return kernel;
}

void emit_device_loop(DeviceForm form, llvm::Module& module, const Arrangement& arrangement,
                      const DeviceKernel& kernel) {
  Parameters parameters = parameters_of(arrangement);
  require_few_parameters(parameters, arrangement.loop.name);
  const auto grid =
      make_grid(form, module, kernel.name, parameter_types(parameters, module.getContext()), kernel.threads);
  DeviceLoop loop(*grid, arrangement, kernel);
  set_values(parameters, grid->parameters(loop.builder()));
  loop.emit(parameters);
}

JoinedKernel describe_joined_loops(const std::vector<JoinedLoop>& loops, const std::string& name) {
  JoinedKernel kernel{name, {}, loops.front().kernel->threads};
  for (const JoinedLoop& loop : loops) kernel.threads = std::min(kernel.threads, loop.kernel->threads);
  return kernel;
}

void emit_joined_loops(DeviceForm form, llvm::Module& module, const std::vector<JoinedLoop>& loops,
                       const JoinedKernel& kernel) {
  schema::JoinedLoops<Emitted> parameters;
  for (const JoinedLoop& loop : loops)
    parameters.members.push_back({{}, {}, parameters_of(*loop.arrangement)});
  require_few_parameters(parameters, kernel.name);
  llvm::LLVMContext& context = module.getContext();
  const auto grid =
      make_grid(form, module, kernel.name, parameter_types(parameters, context), kernel.threads);
  llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context, "entry", grid->function()));
  set_values(parameters, grid->parameters(ir));
  Value* block = grid->block_x;  // counted from the first block of the loop
  for (size_t i = 0; i < loops.size(); ++i) {
    const auto& member = parameters.members[i];
    DeviceLoop loop(*grid, *loops[i].arrangement, *loops[i].kernel);
    llvm::BasicBlock* begin = loop.builder().GetInsertBlock();
    if (i + 1 < loops.size()) {
      auto* others = llvm::BasicBlock::Create(context, "others", grid->function());
      Value* blocks = ir.CreateMul(member.blocks_x, member.blocks_y);
      ir.CreateCondBr(ir.CreateICmpULT(block, blocks), begin, others);
      ir.SetInsertPoint(others);
      Value* rest = ir.CreateSub(block, blocks);
      grid->block_x = std::exchange(block, rest);
    } else {
      ir.CreateBr(begin);
      grid->block_x = block;
    }
    grid->blocks_x = member.blocks_x;
    grid->blocks_y = member.blocks_y;
    grid->block_y = loop.builder().getInt32(0);
    if (loops[i].kernel->reduces()) {  // only sums have blocks along y
      grid->block_y = loop.builder().CreateUDiv(grid->block_x, member.blocks_x);
      Value* before = loop.builder().CreateMul(grid->block_y, member.blocks_x);
      grid->block_x = loop.builder().CreateSub(grid->block_x, before);
    }
    grid->reuse_shared();
    loop.emit(member.loop);
  }
}

}  // namespace lower
