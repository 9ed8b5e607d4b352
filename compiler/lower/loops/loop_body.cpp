#include "compiler/lower/loops/loop_body.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "runtime/shared/nearest_float.h"

namespace lower {

using semantics::Op;
using tensor::Combine;
using tensor::Scalar;

LoopBody::LoopBody(llvm::Function* function, const Arrangement& arrangement, unsigned lanes, bool for_ptx)
    : module_(*function->getParent()),
      arranged_(arrangement),
      loop_(arrangement.loop),
      ir_(function->getContext()),
      v{ir_, lanes, for_ptx},
      pointwise_(v),
      function_(function) {
  ir_.SetInsertPoint(llvm::BasicBlock::Create(function->getContext(), "entry", function));
  llvm::FastMathFlags flags;
  flags.setAllowContract();  // a * b + c may round once
  ir_.setFastMathFlags(flags);
  find_invariants();
}

void LoopBody::take_extents(const std::function<Value*(size_t axis)>& extent,
                            const std::function<Value*(size_t access, size_t axis)>& stride) {
  for (const auto* groups : {&arranged_.kept, &arranged_.reduced}) {
    for (const AxisGroup& group : *groups) {
      Value* product = i64(1);
      for (int axis = group.begin; axis < group.end; ++axis) {
        product = ir_.CreateNSWMul(product, extent(static_cast<size_t>(axis)));
      }
      extents_[group.begin] = product;
      for (size_t access = 0; access < access_count(); ++access) {
        strides_[{access, group.begin}] = stride(access, static_cast<size_t>(group.end) - 1);
      }
    }
  }
}

std::vector<size_t> LoopBody::combining_stores() const {
  std::vector<size_t> stores;
  for (size_t s = 0; s < loop_.stores.size(); ++s) {
    if (loop_.stores[s].combine != Combine::none) stores.push_back(s);
  }
  return stores;
}

Value* LoopBody::neutral(Combine combine) {
  const double infinity = std::numeric_limits<double>::infinity();
  return v.real(combine == Combine::sum ? 0 : combine == Combine::max ? -infinity : infinity);
}

Carried LoopBody::neutrals(const std::vector<size_t>& stores) {
  Carried initial;
  for (const size_t s : stores) initial.push_back(neutral(loop_.stores[s].combine));
  return initial;
}

Value* LoopBody::combined(Combine combine, Value* a, Value* b) {
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

void LoopBody::find_invariants() {
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

Value* LoopBody::emit_load(size_t load, const Place& place, Value* j, Value* mask) {
  Value* base = place.bases[load];
  const Motion motion = arranged_.load_motions[load];
  if (motion == Motion::still)
    return v.splat(read(load, ir_.CreateAlignedLoad(ir_.getFloatTy(), base, llvm::Align(4))));
  if (motion == Motion::contiguous) {
    Value* pointer = at(base, j);
    if (mask == nullptr) {
      prefetch(pointer, Touch::read);
      return read_contiguous(load, pointer);
    }
    return ir_.CreateMaskedLoad(v.f32(), pointer, llvm::Align(4), mask,
                                llvm::Constant::getNullValue(v.f32()));
  }
  Value* pointers = strided_pointers(load, base, j);
  if (v.lanes == 1) return read(load, ir_.CreateAlignedLoad(ir_.getFloatTy(), pointers, llvm::Align(4)));
  return ir_.CreateMaskedGather(v.f32(), pointers, llvm::Align(4), mask,
                                llvm::Constant::getNullValue(v.f32()));
}

void LoopBody::prefetch(Value* pointer, Touch touch) {
  if (arranged_.form != Form::map || v.lanes == 1) return;
  constexpr int64_t page = 4096 / sizeof(float);
  constexpr uint32_t to_second_level_cache = 2, data = 1;
  ir_.CreateIntrinsic(llvm::Intrinsic::prefetch, {pointer->getType()},
                      {at(pointer, i64(page)), ir_.getInt32(static_cast<uint32_t>(touch)),
                       ir_.getInt32(to_second_level_cache), ir_.getInt32(data)});
}

Value* LoopBody::strided_pointers(size_t access, Value* base, Value* j) {
  Value* stride = strides_[{access, vector_group().begin}];
  Value* first = at(base, ir_.CreateMul(j, stride));
  if (v.lanes == 1) return first;
  Value* numbers = ir_.CreateSExt(v.lane_numbers(), v.widen(ir_.getInt64Ty()));
  return ir_.CreateGEP(ir_.getFloatTy(), first, ir_.CreateMul(numbers, v.splat(stride)));
}

void LoopBody::emit_store(size_t store, Value* value, const Place& place, Value* j, Value* mask) {
  const size_t access = loop_.loads.size() + store;
  Value* base = place.bases[access];
  switch (arranged_.store_motions[store]) {
    case Motion::still:
      ir_.CreateAlignedStore(v.lanes == 1 ? value : ir_.CreateExtractElement(value, uint64_t{0}), base,
                             llvm::Align(4));
      return;
    case Motion::contiguous:
      if (mask == nullptr) {
        prefetch(at(base, j), Touch::write);
        write_contiguous(store, value, at(base, j));
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

Value* LoopBody::emit_sampler(const Scalar& scalar, size_t number, Value* element,
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

Value* LoopBody::emit_scalar(size_t i, const Place& place, Value* j, Value* mask,
                             const std::vector<Value*>& values) {
  const Scalar& scalar = loop_.body[i];
  switch (scalar.kind) {
    case Scalar::Kind::load:
      return emit_load(static_cast<size_t>(scalar.index), place, j, mask);
    case Scalar::Kind::constant:
      if (arranged_.immediate[i] >= 0) return immediates_[static_cast<size_t>(arranged_.immediate[i])];
      return v.real(nearest_float(scalar.number));
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
    return draw(i, element);
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

size_t LoopBody::random_number(size_t scalar) const {
  size_t number = 0;
  for (size_t i = 0; i < scalar; ++i) {
    const Scalar& before = loop_.body[i];
    number += before.kind == Scalar::Kind::operation &&
              semantics::info(before.op).group == semantics::OpGroup::random;
  }
  return number;
}

void LoopBody::emit_invariants(const Place& place) {
  pointwise_.forget();
  values_.assign(loop_.body.size(), nullptr);
  for (size_t i = 0; i < loop_.body.size(); ++i) {
    if (invariant_[i]) values_[i] = emit_scalar(i, place, nullptr, nullptr, values_);
  }
}

std::vector<Value*> LoopBody::emit_body(const Place& place, Value* j, Value* mask) {
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

Value* LoopBody::lanes_before(Value* j, Value* to) {
  Value* left = v.splat(ir_.CreateTrunc(ir_.CreateSub(to, j), ir_.getInt32Ty()));
  return ir_.CreateICmpULT(v.lane_numbers(), left);
}

Carried LoopBody::walk(Value* from, Value* to, const Carried& initial, const Body& body) {
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
  return count(ir_, middle, to, lanes, after,
               [&](Value* j, const Carried& carried) { return body(j, lanes_before(j, to), carried); });
}

LoopBody::Place LoopBody::moved_along(const Place& from, const AxisGroup& group, Value* index) {
  Place place = from;
  place.index[group.begin] = index;
  for (size_t access = 0; access < access_count(); ++access) {
    place.bases[access] = at(place.bases[access], ir_.CreateMul(index, strides_[{access, group.begin}]));
  }
  return place;
}

LoopBody::Place LoopBody::moved(const Place& from, const std::vector<AxisGroup>& groups, size_t group_count,
                                Value* number) {
  Place place = from;
  for (size_t g = group_count; g-- > 0;) {
    const AxisGroup& group = groups[g];
    Value* index = number;
    if (g > 0) {
      const Quotient divided = divide(number, extents_[group.begin]);
      index = divided.remainder;
      number = divided.quotient;
    }
    place = moved_along(place, group, index);
  }
  return place;
}

Value* LoopBody::extent_of(const std::vector<AxisGroup>& groups, size_t group_count) {
  Value* product = i64(1);
  for (size_t g = 0; g < group_count; ++g) product = ir_.CreateNSWMul(product, extents_[groups[g].begin]);
  return product;
}

}  // namespace lower
