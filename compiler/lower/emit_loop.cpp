#include "compiler/lower/emit_loop.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "compiler/lower/host.h"
#include "compiler/lower/pointwise.h"
#include "compiler/lower/random_tile.h"
#include "runtime/abi.h"

namespace lower {
namespace {

using semantics::Op;
using tensor::Combine;
using tensor::Scalar;

constexpr int64_t column_tile = 256;  // accumulators of a column reduction: within the first-level cache
constexpr int64_t sum_block = 4096;   // elements summed in float before the sum goes on in double

class KernelEmitter {
 public:
  KernelEmitter(llvm::Module& module, const Arrangement& arrangement, const std::string& name)
      : module_(module),
        arranged_(arrangement),
        loop_(arrangement.loop),
        ir_(module.getContext()),
        v{ir_, arrangement.per_element_calls ? 1 : host().lanes},
        pointwise_(v) {
    auto* type =
        llvm::FunctionType::get(ir_.getVoidTy(), {ir_.getPtrTy(), ir_.getInt64Ty(), ir_.getInt64Ty()}, false);
    function_ = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, name, module);
    prepare_function(*function_);
    ir_.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "entry", function_));
    llvm::FastMathFlags flags;
    flags.setAllowContract();  // a * b + c may round once
    ir_.setFastMathFlags(flags);
  }

  llvm::Function* emit() {
    read_loop();
    find_invariants();
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
  /// Where a walk along the vector axis starts: a pointer per access, and the index in each other group.
  struct Place {
    std::vector<Value*> bases;
    std::map<int, Value*> index;  // by the group's first axis
    Value* element = nullptr;     // the linear number of the first element
  };
  using Body = std::function<Carried(Value* j, Value* mask, const Carried& carried)>;

  Value* i64(int64_t number) { return ir_.getInt64(static_cast<uint64_t>(number)); }
  Value* smaller(Value* a, Value* b) { return ir_.CreateSelect(ir_.CreateICmpSLT(a, b), a, b); }
  Value* at(Value* pointer, Value* index) { return ir_.CreateGEP(ir_.getFloatTy(), pointer, index); }
  size_t access_count() const { return loop_.loads.size() + loop_.stores.size(); }
  const AxisGroup& vector_group() const {
    return arranged_.form == Form::row_reduction ? arranged_.reduced.back() : arranged_.kept.back();
  }

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
    for (const auto* groups : {&arranged_.kept, &arranged_.reduced}) {
      for (const AxisGroup& group : *groups) {
        Value* extent = i64(1);
        for (int axis = group.begin; axis < group.end; ++axis) {
          extent = ir_.CreateNSWMul(extent, entry_of(extents, ir_.getInt64Ty(), static_cast<size_t>(axis)));
        }
        extents_[group.begin] = extent;
        for (size_t access = 0; access < access_count(); ++access) {
          const size_t place = access * rank + static_cast<size_t>(group.end) - 1;
          strides_[{access, group.begin}] = entry_of(strides, ir_.getInt64Ty(), place);
        }
      }
    }
    if (!arranged_.scalars.empty()) {
      Value* scalars = field(offsetof(vae_loop, scalars), ir_.getPtrTy());
      for (size_t i = 0; i < arranged_.scalars.size(); ++i) {
        immediates_.push_back(v.splat(entry_of(scalars, ir_.getFloatTy(), i)));
      }
    }
    if (!arranged_.sites.empty()) {
      seed_ = field(offsetof(vae_loop, seed), ir_.getInt64Ty());
      step_ = field(offsetof(vae_loop, step), ir_.getInt64Ty());
      Value* sites = field(offsetof(vae_loop, sites), ir_.getPtrTy());
      for (size_t i = 0; i < arranged_.sites.size(); ++i) {
        sites_.push_back(entry_of(sites, ir_.getInt32Ty(), i));
      }
    }
    for (const Scalar& scalar : loop_.body) {
      const bool random = scalar.kind == Scalar::Kind::operation &&
                          semantics::info(scalar.op).group == semantics::OpGroup::random;
      // One vector more than a tile: lanes past a segment's end are read, and thrown away.
      const bool tiled = random && scalar.inputs[0] < 0;
      Value* size = ir_.getInt32(tile_size + 16);
      tiles_.push_back(tiled ? ir_.CreateAlloca(ir_.getFloatTy(), size) : nullptr);
    }
    if (arranged_.form == Form::map &&
        std::any_of(tiles_.begin(), tiles_.end(), [](Value* t) { return t; })) {
      current_tile_ = ir_.CreateAlloca(ir_.getInt64Ty());
      ir_.CreateStore(i64(-1), current_tile_);
    }
    if (arranged_.form == Form::column_reduction) {
      for (const tensor::Store& store : loop_.stores) {
        const bool combines = store.combine != Combine::none;
        const bool wide = store.combine == Combine::sum && !arranged_.short_sums;
        Value* size = ir_.getInt32(column_tile + 16);
        sums_.push_back(combines ? ir_.CreateAlloca(ir_.getFloatTy(), size) : nullptr);
        wide_sums_.push_back(wide ? ir_.CreateAlloca(ir_.getDoubleTy(), size) : nullptr);
      }
    }
  }

  void find_invariants() {
    for (const Scalar& scalar : loop_.body) {
      bool invariant = true;
      switch (scalar.kind) {
        case Scalar::Kind::load:
          invariant = arranged_.load_motions[static_cast<size_t>(scalar.index)] == Motion::still;
          break;
        case Scalar::Kind::constant:
          break;
        case Scalar::Kind::iota:
          invariant = scalar.index < vector_group().begin || scalar.index >= vector_group().end;
          break;
        case Scalar::Kind::operation:
          invariant = semantics::info(scalar.op).group == semantics::OpGroup::pointwise;
          for (const int input : scalar.inputs) {
            if (input >= 0) invariant = invariant && invariant_[static_cast<size_t>(input)];
          }
          break;
      }
      invariant_.push_back(invariant);
    }
  }

  // ---- one element-wise body

  Value* emit_load(size_t load, const Place& place, Value* j, Value* mask) {
    Value* base = place.bases[load];
    const Motion motion = arranged_.load_motions[load];
    if (motion == Motion::still)
      return v.splat(ir_.CreateAlignedLoad(ir_.getFloatTy(), base, llvm::Align(4)));
    if (motion == Motion::contiguous) {
      Value* pointer = at(base, j);
      if (mask == nullptr) return ir_.CreateAlignedLoad(v.f32(), pointer, llvm::Align(4));
      return ir_.CreateMaskedLoad(v.f32(), pointer, llvm::Align(4), mask,
                                  llvm::Constant::getNullValue(v.f32()));
    }
    Value* pointers = strided_pointers(load, base, j);
    if (v.lanes == 1) return ir_.CreateAlignedLoad(ir_.getFloatTy(), pointers, llvm::Align(4));
    return ir_.CreateMaskedGather(v.f32(), pointers, llvm::Align(4), mask,
                                  llvm::Constant::getNullValue(v.f32()));
  }

  Value* strided_pointers(size_t access, Value* base, Value* j) {
    Value* stride = strides_[{access, vector_group().begin}];
    Value* first = at(base, ir_.CreateMul(j, stride));
    if (v.lanes == 1) return first;
    Value* numbers = ir_.CreateSExt(v.lane_numbers(), v.widen(ir_.getInt64Ty()));
    return ir_.CreateGEP(ir_.getFloatTy(), first, ir_.CreateMul(numbers, v.splat(stride)));
  }

  void emit_store(size_t store, Value* value, const Place& place, Value* j, Value* mask) {
    const size_t access = loop_.loads.size() + store;
    Value* base = place.bases[access];
    switch (arranged_.store_motions[store]) {
      case Motion::still:
        ir_.CreateAlignedStore(v.lanes == 1 ? value : ir_.CreateExtractElement(value, uint64_t{0}), base,
                               llvm::Align(4));
        return;
      case Motion::contiguous:
        if (mask == nullptr) {
          ir_.CreateAlignedStore(value, at(base, j), llvm::Align(4));
        } else {
          ir_.CreateMaskedStore(value, at(base, j), llvm::Align(4), mask);
        }
        return;
      case Motion::strided: {
        Value* pointers = strided_pointers(access, base, j);
        if (v.lanes == 1) {
          ir_.CreateAlignedStore(value, pointers, llvm::Align(4));
        } else {
          ir_.CreateMaskedScatter(value, pointers, llvm::Align(4), mask);
        }
        return;
      }
    }
  }

  Value* emit_sampler(const Scalar& scalar, size_t number, Value* element,
                      const std::vector<Value*>& values) {
    std::vector<Value*> arguments = {seed_, step_, sites_[number], element};
    for (const int input : scalar.inputs) {
      if (input >= 0) arguments.push_back(values[static_cast<size_t>(input)]);
    }
    std::vector<llvm::Type*> types;
    for (Value* argument : arguments) types.push_back(argument->getType());
    auto* type = llvm::FunctionType::get(ir_.getFloatTy(), types, false);
    const std::string name = std::string("vaert_sample_") + semantics::info(scalar.op).name;
    return ir_.CreateCall(module_.getOrInsertFunction(name, type), arguments);
  }

  Value* emit_scalar(size_t i, const Place& place, Value* j, Value* mask, const std::vector<Value*>& values) {
    const Scalar& scalar = loop_.body[i];
    switch (scalar.kind) {
      case Scalar::Kind::load:
        return emit_load(static_cast<size_t>(scalar.index), place, j, mask);
      case Scalar::Kind::constant:
        if (arranged_.immediate[i] >= 0) return immediates_[static_cast<size_t>(arranged_.immediate[i])];
        return v.real(scalar.number);
      case Scalar::Kind::iota: {
        if (invariant_[i]) return v.splat(ir_.CreateSIToFP(place.index.at(scalar.index), ir_.getFloatTy()));
        Value* first = v.splat(ir_.CreateTrunc(j, ir_.getInt32Ty()));
        return ir_.CreateSIToFP(ir_.CreateAdd(first, v.lane_numbers()), v.f32());
      }
      case Scalar::Kind::operation:
        break;
    }
    if (semantics::info(scalar.op).group == semantics::OpGroup::random) {
      Value* element = ir_.CreateAdd(place.element, j);
      if (scalar.inputs[0] >= 0) return emit_sampler(scalar, random_number(i), element, values);
      Value* draw = at(tiles_[i], ir_.CreateAnd(element, tile_size - 1));
      return ir_.CreateAlignedLoad(v.f32(), draw, llvm::Align(4));
    }
    std::array<Value*, 3> inputs{};
    for (size_t k = 0; k < 3; ++k) {
      if (scalar.inputs[k] >= 0) inputs[k] = values[static_cast<size_t>(scalar.inputs[k])];
    }
    double exponent = std::numeric_limits<double>::quiet_NaN();
    if (scalar.op == Op::power) {
      const Scalar& power = loop_.body[static_cast<size_t>(scalar.inputs[1])];
      if (power.kind == Scalar::Kind::constant) exponent = power.number;
    }
    return pointwise_.emit(scalar.op, inputs, exponent);
  }

  size_t random_number(size_t scalar) const {
    size_t number = 0;
    for (size_t i = 0; i < scalar; ++i) {
      const Scalar& before = loop_.body[i];
      number += before.kind == Scalar::Kind::operation &&
                semantics::info(before.op).group == semantics::OpGroup::random;
    }
    return number;
  }

  /// What does not change along the vector axis, computed before it is walked.
  void emit_invariants(const Place& place) {
    pointwise_.forget();
    values_.assign(loop_.body.size(), nullptr);
    for (size_t i = 0; i < loop_.body.size(); ++i) {
      if (invariant_[i]) values_[i] = emit_scalar(i, place, nullptr, nullptr, values_);
    }
  }

  std::vector<Value*> emit_body(const Place& place, Value* j, Value* mask) {
    std::vector<Value*> values = values_;
    for (size_t i = 0; i < loop_.body.size(); ++i) {
      if (!invariant_[i]) values[i] = emit_scalar(i, place, j, mask, values);
    }
    for (size_t s = 0; s < loop_.stores.size(); ++s) {
      if (loop_.stores[s].combine != Combine::none) continue;
      emit_store(s, values[static_cast<size_t>(loop_.stores[s].scalar)], place, j, mask);
    }
    return values;
  }

  // ---- walks

  /// Whole vectors over [from, to), then the rest under a mask.
  Carried walk(Value* from, Value* to, const Carried& initial, const Body& body) {
    Value* lanes = i64(v.lanes);
    if (v.lanes == 1 || arranged_.whole_vectors) {
      return count(ir_, from, to, lanes, initial,
                   [&](Value* j, const Carried& carried) { return body(j, nullptr, carried); });
    }
    Value* whole = ir_.CreateAnd(ir_.CreateSub(to, from), -static_cast<int64_t>(v.lanes));
    Value* middle = ir_.CreateAdd(from, whole);
    const Carried after = count(ir_, from, middle, lanes, initial,
                                [&](Value* j, const Carried& carried) { return body(j, nullptr, carried); });
    pointwise_.forget();
    return count(ir_, middle, to, lanes, after, [&](Value* j, const Carried& carried) {
      Value* left = v.splat(ir_.CreateTrunc(ir_.CreateSub(to, j), ir_.getInt32Ty()));
      return body(j, ir_.CreateICmpULT(v.lane_numbers(), left), carried);
    });
  }

  /// `from` moved to index `number` of the groups, counted as one row-major number.
  Place moved(const Place& from, const std::vector<AxisGroup>& groups, size_t group_count, Value* number) {
    Place place = from;
    for (size_t g = group_count; g-- > 0;) {
      const AxisGroup& group = groups[g];
      Value* index = number;
      if (g > 0) {
        index = ir_.CreateURem(number, extents_[group.begin]);
        number = ir_.CreateUDiv(number, extents_[group.begin]);
      }
      place.index[group.begin] = index;
      for (size_t access = 0; access < access_count(); ++access) {
        place.bases[access] = at(place.bases[access], ir_.CreateMul(index, strides_[{access, group.begin}]));
      }
    }
    return place;
  }

  Value* extent_of(const std::vector<AxisGroup>& groups, size_t group_count) {
    Value* product = i64(1);
    for (size_t g = 0; g < group_count; ++g) product = ir_.CreateNSWMul(product, extents_[groups[g].begin]);
    return product;
  }

  /// Calls body(place, number) for each row of this call's units.
  void for_each_row(size_t outer_groups, const std::function<void(const Place&, Value*)>& body) {
    const Place start{pointers_, {}, nullptr};
    Value* rows = extent_of(arranged_.kept, outer_groups);
    Value* per_unit = i64(arranged_.unit_rows);
    Value* first = ir_.CreateNSWMul(function_->getArg(1), per_unit);
    Value* last = smaller(ir_.CreateNSWMul(function_->getArg(2), per_unit), rows);
    count(ir_, first, last, i64(1), {}, [&](Value* row, const Carried&) {
      body(moved(start, arranged_.kept, outer_groups, row), row);
      return Carried{};
    });
  }

  /// The part of a flat vector axis that this call does.
  std::pair<Value*, Value*> flat_range() {
    Value* per_unit = i64(arranged_.unit_elements);
    return {ir_.CreateNSWMul(function_->getArg(1), per_unit),
            smaller(ir_.CreateNSWMul(function_->getArg(2), per_unit), extents_[vector_group().begin])};
  }

  // ---- the three forms

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
      return count(ir_, i64(0), length, i64(sum_block), before, [&](Value* from, const Carried& carried) {
        Value* to = smaller(ir_.CreateAdd(from, i64(sum_block)), length);
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
  std::vector<Value*> sites_;             // per random operation
  std::vector<Value*> tiles_;             // per scalar of the body: its tile of draws, or null
  Value* current_tile_ = nullptr;         // whose draws the tiles hold
  std::vector<Value*> sums_, wide_sums_;  // per store of a column reduction, or null
  std::vector<bool> invariant_;           // per scalar: the same along the vector axis
  std::vector<Value*> values_;            // per scalar: the invariant ones
};

}  // namespace

llvm::Function* emit_loop(llvm::Module& module, const Arrangement& arrangement, const std::string& name) {
  return KernelEmitter(module, arrangement, name).emit();
}

}  // namespace lower
