#include "compiler/lower/loops/emit_loop.h"

#include <algorithm>

#include "compiler/lower/host.h"
#include "compiler/lower/loops/loop_body.h"
#include "compiler/lower/loops/random_tile.h"
#include "runtime/abi.h"

namespace lower {
namespace {

using tensor::Combine;

// Elements that a lane sums in float before it adds the sum in double.
constexpr int64_t summed_by_lane = 256;
constexpr int64_t column_tile = 256;      // sums of a column reduction that fit into the first-level cache
constexpr int64_t most_side_by_side = 8;  // vectors of a row; each needs a register for each store

llvm::Function* begin_function(llvm::Module& module, const std::string& name) {
  llvm::Function* function = declare_kernel(module, name);
  function->setLinkage(llvm::GlobalValue::InternalLinkage);
  prepare_function(*function);
  return function;
}

class KernelEmitter : LoopBody {
 public:
  KernelEmitter(llvm::Module& module, const Arrangement& arrangement, const std::string& name)
      : LoopBody(begin_function(module, name), arrangement,
                 arrangement.per_element_calls ? 1 : host().lanes) {
    read_loop();
    make_space();
  }

  llvm::Function* emit() {
    switch (arranged_.form) {
      case Form::map:
        emit_map();
        break;
      case Form::row_reduction:
        emit_row_reduction();
        break;
      case Form::column_reduction:
        emit_column_reduction();
        break;
    }
    ir_.CreateRetVoid();
    return function_;
  }

 private:
  Value* field(size_t offset, llvm::Type* type) {
    return ir_.CreateLoad(type, ir_.CreateConstGEP1_64(ir_.getInt8Ty(), function_->getArg(0), offset));
  }

  Value* entry_of(Value* list, llvm::Type* type, size_t index) {
    return ir_.CreateLoad(type, ir_.CreateConstGEP1_64(type, list, index));
  }

  void read_loop() {
    Value* pointers = field(offsetof(vae_loop, pointers), ir_.getPtrTy());
    Value* extents = field(offsetof(vae_loop, extents), ir_.getPtrTy());
    Value* strides = field(offsetof(vae_loop, strides), ir_.getPtrTy());
    const size_t rank = loop_.space.size();
    for (size_t access = 0; access < access_count(); ++access) {
      pointers_.push_back(entry_of(pointers, ir_.getPtrTy(), access));
    }
    take_extents([&](size_t axis) { return entry_of(extents, ir_.getInt64Ty(), axis); },
                 [&](size_t access, size_t axis) {
                   return entry_of(strides, ir_.getInt64Ty(), access * rank + axis);
                 });
    if (!arranged_.scalars.empty()) {
      Value* scalars = field(offsetof(vae_loop, scalars), ir_.getPtrTy());
      for (size_t i = 0; i < arranged_.scalars.size(); ++i) {
        immediates_.push_back(v.splat(entry_of(scalars, ir_.getFloatTy(), i)));
      }
    }
    if (!arranged_.sites.empty()) {
      seed_ = field(offsetof(vae_loop, seed), ir_.getInt64Ty());
      step_ = field(offsetof(vae_loop, step), ir_.getInt64Ty());
      first_element_ = field(offsetof(vae_loop, first), ir_.getInt64Ty());
      Value* sites = field(offsetof(vae_loop, sites), ir_.getPtrTy());
      for (size_t i = 0; i < arranged_.sites.size(); ++i) {
        sites_.push_back(entry_of(sites, ir_.getInt32Ty(), i));
      }
    }
  }

  /// Reserves the memory of a call: tiles of draws, and sums of columns.
  void make_space() {
    for (const tensor::Scalar& scalar : loop_.body) {
      // One vector longer than a tile: the last vector of a segment may read lanes past its end, which are
      // not used.
      Value* size = ir_.getInt32(tile_size + 16);
      tiles_.push_back(is_plain_draw(scalar) ? ir_.CreateAlloca(ir_.getFloatTy(), size) : nullptr);
    }
    if (arranged_.form == Form::map &&
        std::any_of(tiles_.begin(), tiles_.end(), [](Value* t) { return t; })) {
      current_tile_ = ir_.CreateAlloca(ir_.getInt64Ty());
      ir_.CreateStore(i64(-1), current_tile_);
    }
    if (arranged_.form != Form::column_reduction || arranged_.register_sums) return;
    for (const tensor::Store& store : loop_.stores) {
      const bool combines = store.combine != Combine::none;
      const bool wide = store.combine == Combine::sum && !arranged_.short_sums;
      Value* size = ir_.getInt32(column_tile + 16);
      sums_.push_back(combines ? ir_.CreateAlloca(ir_.getFloatTy(), size) : nullptr);
      wide_sums_.push_back(wide ? ir_.CreateAlloca(ir_.getDoubleTy(), size) : nullptr);
    }
  }

  Value* draw(size_t i, Value* element) override {
    Value* place = at(tiles_[i], ir_.CreateAnd(element, tile_size - 1));
    return ir_.CreateAlignedLoad(v.f32(), place, llvm::Align(4));
  }

  /// Calls body(place, number) for each row of this call's units.
  void for_each_row(size_t outer_groups, const std::function<void(const Place&, Value*)>& body) {
    const Place start{pointers_, {}, nullptr};
    Value* rows = extent_of(arranged_.kept, outer_groups);
    Value* per_unit = i64(arranged_.unit_rows);
    Value* first = ir_.CreateNSWMul(function_->getArg(1), per_unit);
    Value* last = smaller(ir_.CreateNSWMul(function_->getArg(2), per_unit), rows);
    if (outer_groups < 2) {
      count(ir_, first, last, i64(1), {}, [&](Value* row, const Carried&) {
        body(moved(start, arranged_.kept, outer_groups, row), row);
        return Carried{};
      });
      return;
    }
    // Only the indices of the first row are found by division. Rows may be as short as one vector, so a
    // division for each row would be too slow.
    const Place begin = moved(start, arranged_.kept, outer_groups, first);
    Carried position;  // by group its index, then by access its pointer
    for (size_t g = 0; g < outer_groups; ++g) position.push_back(begin.index.at(arranged_.kept[g].begin));
    position.insert(position.end(), begin.bases.begin(), begin.bases.end());
    count(ir_, first, last, i64(1), position, [&](Value* row, const Carried& now) {
      Place place = start;
      for (size_t g = 0; g < outer_groups; ++g) place.index[arranged_.kept[g].begin] = now[g];
      place.bases.assign(now.begin() + static_cast<std::ptrdiff_t>(outer_groups), now.end());
      body(place, row);
      return advanced(now, outer_groups, outer_groups - 1);
    });
  }

  /// The position after one step along kept group `g`. At the end of the group, its index goes back to 0 and
  /// the group before takes one step.
  Carried advanced(Carried position, size_t group_count, size_t g) {
    const AxisGroup& group = arranged_.kept[g];
    const auto move = [&](Carried& moving, Value* steps) {
      for (size_t access = 0; access < access_count(); ++access) {
        Value*& pointer = moving[group_count + access];
        pointer = at(pointer, ir_.CreateMul(steps, strides_[{access, group.begin}]));
      }
    };
    position[g] = ir_.CreateNSWAdd(position[g], i64(1));
    move(position, i64(1));
    if (g == 0) return position;
    Value* extent = extents_[group.begin];
    return when(ir_, ir_.CreateICmpEQ(position[g], extent), position, [&] {
      Carried wrapped = position;
      wrapped[g] = i64(0);
      move(wrapped, ir_.CreateNeg(extent));
      return advanced(wrapped, group_count, g - 1);
    });
  }

  /// The range of a flat vector axis that this call computes.
  std::pair<Value*, Value*> flat_range() {
    Value* per_unit = i64(arranged_.unit_elements);
    return {ir_.CreateNSWMul(function_->getArg(1), per_unit),
            smaller(ir_.CreateNSWMul(function_->getArg(2), per_unit), extents_[vector_group().begin])};
  }

  /// The number that draws give to an element of the space.
  Value* element_number(Value* element) {
    return first_element_ == nullptr ? element : ir_.CreateNSWAdd(first_element_, element);
  }

  void emit_map() {
    if (arranged_.is_flat()) {
      const Place place{pointers_, {}, element_number(i64(0))};
      const auto [from, to] = flat_range();
      emit_invariants(place);
      walk_mapped(place, from, to);
      return;
    }
    for_each_row(arranged_.kept.size() - 1, [&](const Place& row_place, Value* row) {
      Place place = row_place;
      place.element = element_number(ir_.CreateNSWMul(row, extents_[vector_group().begin]));
      emit_invariants(place);
      walk_mapped(place, i64(0), extents_[vector_group().begin]);
    });
  }

  void walk_mapped(const Place& place, Value* from, Value* to) {
    const auto segment = [&](Value* begin, Value* end) {
      walk(begin, end, {}, [&](Value* j, Value* mask, const Carried&) {
        emit_body(place, j, mask);
        return Carried{};
      });
    };
    if (current_tile_ == nullptr) return segment(from, to);
    // Splits [from, to) at the ends of tiles, because a tile of draws is filled as a whole.
    Value* first_tile = ir_.CreateLShr(ir_.CreateAdd(place.element, from), 7);
    Value* end_tile = ir_.CreateLShr(ir_.CreateAdd(place.element, ir_.CreateAdd(to, i64(tile_size - 1))), 7);
    count(ir_, first_tile, end_tile, i64(1), {}, [&](Value* tile, const Carried&) {
      fill_tiles(tile);
      Value* tile_begin = ir_.CreateSub(ir_.CreateShl(tile, 7), place.element);
      Value* begin = ir_.CreateSelect(ir_.CreateICmpSGT(tile_begin, from), tile_begin, from);
      segment(begin, smaller(ir_.CreateAdd(tile_begin, i64(tile_size)), to));
      return Carried{};
    });
  }

  void fill_tiles(Value* tile) {
    Value* current = ir_.CreateLoad(ir_.getInt64Ty(), current_tile_);
    when(ir_, ir_.CreateICmpNE(current, tile), [&] {
      ir_.CreateStore(tile, current_tile_);
      for (size_t i = 0; i < tiles_.size(); ++i) {
        if (tiles_[i] == nullptr) continue;
        llvm::Function* filler = tile_filler(module_, host().lanes, loop_.body[i].op);
        ir_.CreateCall(filler, {tiles_[i], tile, seed_, step_, sites_[random_number(i)]});
      }
    });
  }

  /// Combines the lanes into one value, in a fixed order.
  Value* across_lanes(Combine combine, Value* lanes) {
    if (v.lanes == 1) return lanes;
    if (combine == Combine::max) return ir_.CreateFPMaxReduce(lanes);
    if (combine == Combine::min) return ir_.CreateFPMinReduce(lanes);
    llvm::Type* scalar = lanes->getType()->getScalarType();
    llvm::CallInst* sum = ir_.CreateFAddReduce(llvm::ConstantFP::get(scalar, 0.0), lanes);
    sum->setHasAllowReassoc(true);
    return sum;
  }

  /// Combines [from, to) of the vector axis into lanes.
  Carried walk_reduced(const Place& place, Value* from, Value* to, const std::vector<size_t>& stores) {
    return walk(from, to, neutrals(stores), [&](Value* j, Value* mask, const Carried& carried) {
      const auto values = emit_body(place, j, mask);
      Carried next;
      for (size_t k = 0; k < stores.size(); ++k) {
        const tensor::Store& store = loop_.stores[stores[k]];
        Value* value = values[static_cast<size_t>(store.scalar)];
        if (mask != nullptr) value = v.select(mask, value, neutral(store.combine));
        next.push_back(combined(store.combine, carried[k], value));
      }
      return next;
    });
  }

  void emit_row_reduction() {
    const auto stores = combining_stores();
    const size_t outer_reduced = arranged_.reduced.size() - 1;
    Value* length = extents_[vector_group().begin];
    for_each_row(arranged_.kept.size(), [&](const Place& place, Value*) {
      Carried result;
      if (outer_reduced == 0 && arranged_.short_sums) {
        emit_invariants(place);
        result = walk_reduced(place, i64(0), length, stores);
      } else {
        result = reduce_in_blocks(place, length, outer_reduced, stores);
      }
      for (size_t k = 0; k < stores.size(); ++k) {
        const size_t s = stores[k];
        Value* value = across_lanes(loop_.stores[s].combine, result[k]);
        if (value->getType()->isDoubleTy()) value = ir_.CreateFPTrunc(value, ir_.getFloatTy());
        ir_.CreateAlignedStore(value, place.bases[loop_.loads.size() + s], llvm::Align(4));
      }
    });
  }

  Carried reduce_in_blocks(const Place& place, Value* length, size_t outer_reduced,
                           const std::vector<size_t>& stores) {
    llvm::Type* wide = v.widen(ir_.getDoubleTy());
    Carried initial = neutrals(stores);
    for (size_t k = 0; k < stores.size(); ++k) {
      if (loop_.stores[stores[k]].combine == Combine::sum) initial[k] = llvm::ConstantFP::get(wide, 0.0);
    }
    Value* runs = extent_of(arranged_.reduced, outer_reduced);
    return count(ir_, i64(0), runs, i64(1), initial, [&](Value* run, const Carried& before) {
      const Place inner = moved(place, arranged_.reduced, outer_reduced, run);
      emit_invariants(inner);
      return count(ir_, i64(0), length, i64(summed_by_lane * v.lanes), before,
                   [&](Value* from, const Carried& carried) {
                     Value* to = smaller(ir_.CreateAdd(from, i64(summed_by_lane * v.lanes)), length);
                     const Carried block = walk_reduced(inner, from, to, stores);
                     Carried next;
                     for (size_t k = 0; k < stores.size(); ++k) {
                       const Combine combine = loop_.stores[stores[k]].combine;
                       Value* value = combine == Combine::sum ? ir_.CreateFPExt(block[k], wide) : block[k];
                       next.push_back(combined(combine, carried[k], value));
                     }
                     return next;
                   });
    });
  }

  void emit_column_reduction() {
    const auto reduce = [&](const Place& place, Value* from, Value* to) {
      if (arranged_.register_sums) return reduce_vectors(place, from, to);
      reduce_columns(place, from, to);
    };
    if (arranged_.is_flat()) {
      const auto [from, to] = flat_range();
      return reduce(Place{pointers_, {}, nullptr}, from, to);
    }
    for_each_row(arranged_.kept.size() - 1,
                 [&](const Place& place, Value*) { reduce(place, i64(0), extents_[vector_group().begin]); });
  }

  /// A vector of columns.
  struct Columns {
    Value *j, *mask;
  };

  /// Reduces columns [from, to) with their sums in registers. The vectors of a short row are summed side by
  /// side, others one vector after the other.
  void reduce_vectors(const Place& place, Value* from, Value* to) {
    const int64_t vectors = (arranged_.short_row + v.lanes - 1) / v.lanes;
    // Rows with the same number of vectors of 8 share a kernel. A kernel with one lane thus cannot know the
    // number of columns, so it loops over them.
    if (v.lanes == 1 || vectors == 0 || vectors > most_side_by_side) {
      walk(from, to, {}, [&](Value* j, Value* mask, const Carried&) {
        sum_and_store(place, {{j, mask}});
        return Carried{};
      });
      return;
    }
    std::vector<Columns> row;
    for (int64_t vector = 0; vector < vectors; ++vector)
      row.push_back({ir_.CreateAdd(from, i64(vector * v.lanes)), nullptr});
    if (!arranged_.whole_vectors) row.back().mask = lanes_before(row.back().j, to);
    sum_and_store(place, row);
  }

  void sum_and_store(const Place& place, const std::vector<Columns>& row) {
    const auto stores = combining_stores();
    Carried sums;  // all stores of the first vector, then of the next
    for (size_t vector = 0; vector < row.size(); ++vector) {
      for (Value* start : neutrals(stores)) sums.push_back(start);
    }
    sums = sum_vectors(place, 0, row, stores, sums);
    for (size_t vector = 0; vector < row.size(); ++vector) {
      for (size_t k = 0; k < stores.size(); ++k)
        emit_store(stores[k], sums[vector * stores.size() + k], place, row[vector].j, row[vector].mask);
    }
  }

  /// Adds to `before` the values of the reduced groups from number `group` on, at `place`.
  Carried sum_vectors(const Place& place, size_t group, const std::vector<Columns>& row,
                      const std::vector<size_t>& stores, const Carried& before) {
    if (group == arranged_.reduced.size()) {
      emit_invariants(place);
      Carried next;
      for (size_t vector = 0; vector < row.size(); ++vector) {
        const auto values = emit_body(place, row[vector].j, row[vector].mask);
        for (size_t k = 0; k < stores.size(); ++k) {
          const tensor::Store& store = loop_.stores[stores[k]];
          next.push_back(combined(store.combine, before[vector * stores.size() + k],
                                  values[static_cast<size_t>(store.scalar)]));
        }
      }
      return next;
    }
    const AxisGroup& axes = arranged_.reduced[group];
    const auto add = [&](Value* index, const Carried& carried) {
      return sum_vectors(moved_along(place, axes, index), group + 1, row, stores, carried);
    };
    const int64_t repeats = arranged_.repeats(axes);
    if (repeats == 0) return count(ir_, i64(0), extents_[axes.begin], i64(1), before, add);
    Carried carried = before;
    for (int64_t index = 0; index < repeats; ++index) carried = add(i64(index), carried);
    return carried;
  }

  /// Runs body(store, column) for each combining store and each vector of its sums.
  void for_each_sum(Value* width, const std::function<void(size_t, Value*)>& body) {
    count(ir_, i64(0), width, i64(v.lanes), {}, [&](Value* column, const Carried&) {
      for (const size_t s : combining_stores()) body(s, column);
      return Carried{};
    });
  }

  void flush_sums(Value* width) {
    llvm::Type* wide = v.widen(ir_.getDoubleTy());
    for_each_sum(width, [&](size_t s, Value* column) {
      if (wide_sums_[s] == nullptr) return;
      Value* slot = at(sums_[s], column);
      Value* wide_slot = ir_.CreateGEP(ir_.getDoubleTy(), wide_sums_[s], column);
      Value* part = ir_.CreateFPExt(ir_.CreateAlignedLoad(v.f32(), slot, llvm::Align(4)), wide);
      Value* sum = ir_.CreateFAdd(ir_.CreateAlignedLoad(wide, wide_slot, llvm::Align(8)), part);
      ir_.CreateAlignedStore(sum, wide_slot, llvm::Align(8));
      ir_.CreateAlignedStore(v.real(0), slot, llvm::Align(4));
    });
  }

  void reduce_columns(const Place& place, Value* from, Value* to) {
    llvm::Type* wide = v.widen(ir_.getDoubleTy());
    Value* reduced = extent_of(arranged_.reduced, arranged_.reduced.size());
    count(ir_, from, to, i64(column_tile), {}, [&](Value* first, const Carried&) {
      Value* last = smaller(ir_.CreateAdd(first, i64(column_tile)), to);
      Value* width = ir_.CreateSub(last, first);
      for_each_sum(width, [&](size_t s, Value* column) {
        ir_.CreateAlignedStore(neutral(loop_.stores[s].combine), at(sums_[s], column), llvm::Align(4));
        if (wide_sums_[s] == nullptr) return;
        Value* wide_slot = ir_.CreateGEP(ir_.getDoubleTy(), wide_sums_[s], column);
        ir_.CreateAlignedStore(llvm::ConstantFP::get(wide, 0.0), wide_slot, llvm::Align(8));
      });
      count(ir_, i64(0), reduced, i64(1), {}, [&](Value* number, const Carried&) {
        const Place inner = moved(place, arranged_.reduced, arranged_.reduced.size(), number);
        emit_invariants(inner);
        walk(first, last, {}, [&](Value* j, Value* mask, const Carried&) {
          const auto values = emit_body(inner, j, mask);
          for (const size_t s : combining_stores()) {
            Value* slot = at(sums_[s], ir_.CreateSub(j, first));
            Value* before = ir_.CreateAlignedLoad(v.f32(), slot, llvm::Align(4));
            Value* value = values[static_cast<size_t>(loop_.stores[s].scalar)];
            ir_.CreateAlignedStore(combined(loop_.stores[s].combine, before, value), slot, llvm::Align(4));
          }
          return Carried{};
        });
        if (!arranged_.short_sums) {
          Value* full = ir_.CreateICmpEQ(ir_.CreateAnd(number, 255), i64(255));
          when(ir_, full, [&] { flush_sums(width); });
        }
        return Carried{};
      });
      if (!arranged_.short_sums) flush_sums(width);
      store_sums(place, first, last);
      return Carried{};
    });
  }

  void store_sums(const Place& place, Value* first, Value* last) {
    walk(first, last, {}, [&](Value* j, Value* mask, const Carried&) {
      Value* column = ir_.CreateSub(j, first);
      for (const size_t s : combining_stores()) {
        Value* sum = nullptr;
        if (wide_sums_[s] != nullptr) {
          Value* wide_slot = ir_.CreateGEP(ir_.getDoubleTy(), wide_sums_[s], column);
          llvm::Type* wide = v.widen(ir_.getDoubleTy());
          sum = ir_.CreateFPTrunc(ir_.CreateAlignedLoad(wide, wide_slot, llvm::Align(8)), v.f32());
        } else {
          sum = ir_.CreateAlignedLoad(v.f32(), at(sums_[s], column), llvm::Align(4));
        }
        emit_store(s, sum, place, j, mask);
      }
      return Carried{};
    });
  }

  Value* first_element_ = nullptr;        // if the loop draws: the number of its first element
  std::vector<Value*> tiles_;             // by scalar of the body: its tile of draws, or null
  Value* current_tile_ = nullptr;         // the number of the tile that is filled
  std::vector<Value*> sums_, wide_sums_;  // by store of a column reduction, or null
};

}  // namespace

llvm::Function* declare_kernel(llvm::Module& module, const std::string& name) {
  llvm::LLVMContext& context = module.getContext();
  auto* integer = llvm::Type::getInt64Ty(context);
  auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                                       {llvm::PointerType::get(context, 0), integer, integer}, false);
  return llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
}

llvm::Function* emit_loop(llvm::Module& module, const Arrangement& arrangement, const std::string& name) {
  return KernelEmitter(module, arrangement, name).emit();
}

}  // namespace lower
