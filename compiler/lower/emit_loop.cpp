#include "compiler/lower/emit_loop.h"

#include <limits>
#include <stdexcept>

#include "compiler/lower/host.h"
#include "compiler/lower/loop_body.h"
#include "compiler/lower/random_tile.h"

namespace lower {
namespace {

using tensor::Combine;

constexpr int64_t sum_block = 256;  // elements a lane sums in float before the sum goes on in double

class KernelEmitter : LoopBody {
 public:
  KernelEmitter(llvm::Module& module, const Arrangement& arrangement, const std::string& name)
      : LoopBody(module, arrangement, name) {}

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
  void emit_map() {
    if (arranged_.is_flat()) {
      const Place place{pointers_, {}, i64(0)};
      const auto [from, to] = flat_range();
      emit_invariants(place);
      walk_mapped(place, from, to);
      return;
    }
    for_each_row(arranged_.kept.size() - 1, [&](const Place& row_place, Value* row) {
      Place place = row_place;
      place.element = ir_.CreateNSWMul(row, extents_[vector_group().begin]);
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
    // By tiles of draws: [from, to) is cut where a tile of elements ends.
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

  Value* neutral(Combine combine) {
    const double infinity = std::numeric_limits<double>::infinity();
    return v.real(combine == Combine::sum ? 0 : combine == Combine::max ? -infinity : infinity);
  }

  Value* combined(Combine combine, Value* a, Value* b) {
    switch (combine) {
      case Combine::sum:
        return ir_.CreateFAdd(a, b);
      case Combine::max:
        return v.maximum(a, b);
      case Combine::min:
        return v.minimum(a, b);
      case Combine::none:
        break;
    }
    throw std::logic_error("a store that combines nothing");
  }

  /// One value of the lanes; the order of a sum is fixed.
  Value* across_lanes(Combine combine, Value* lanes) {
    if (v.lanes == 1) return lanes;
    if (combine == Combine::max) return ir_.CreateFPMaxReduce(lanes);
    if (combine == Combine::min) return ir_.CreateFPMinReduce(lanes);
    llvm::Type* scalar = lanes->getType()->getScalarType();
    llvm::CallInst* sum = ir_.CreateFAddReduce(llvm::ConstantFP::get(scalar, 0.0), lanes);
    sum->setHasAllowReassoc(true);
    return sum;
  }

  std::vector<size_t> combining_stores() const {
    std::vector<size_t> stores;
    for (size_t s = 0; s < loop_.stores.size(); ++s) {
      if (loop_.stores[s].combine != Combine::none) stores.push_back(s);
    }
    return stores;
  }

  Carried neutrals(const std::vector<size_t>& stores) {
    Carried initial;
    for (const size_t s : stores) initial.push_back(neutral(loop_.stores[s].combine));
    return initial;
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
      return count(ir_, i64(0), length, i64(sum_block * v.lanes), before,
                   [&](Value* from, const Carried& carried) {
                     Value* to = smaller(ir_.CreateAdd(from, i64(sum_block * v.lanes)), length);
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
    if (arranged_.is_flat()) {
      const auto [from, to] = flat_range();
      reduce_columns(Place{pointers_, {}, nullptr}, from, to);
      return;
    }
    for_each_row(arranged_.kept.size() - 1, [&](const Place& place, Value*) {
      reduce_columns(place, i64(0), extents_[vector_group().begin]);
    });
  }

  /// f(slot, wide slot) for each vector of the accumulators.
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
};

}  // namespace

llvm::Function* emit_loop(llvm::Module& module, const Arrangement& arrangement, const std::string& name) {
  return KernelEmitter(module, arrangement, name).emit();
}

}  // namespace lower
